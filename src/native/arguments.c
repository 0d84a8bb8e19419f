/* Conversions from JavaScript values to C, which throw a TypeError for values of another type. */
#include "addon.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool get_int(napi_env env, napi_value value, int *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= INT_MIN) ||
      !(number <= INT_MAX) || number != (int)number)
    return throw_type(env, "expected an integer");
  *result = (int)number;
  return true;
}

bool get_string(napi_env env, napi_value value, char **result) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok)
    return throw_type(env, "expected a string");
  *result = malloc(length + 1);
  if (!*result) return throw_errno(env, ENOMEM, "malloc", NULL);
  if (!check(env, napi_get_value_string_utf8(env, value, *result, length + 1, &length)))
    return false;
  return strlen(*result) == length || throw_type(env, "a string contains a NUL character");
}

bool get_bytes(napi_env env, napi_value value, void **data, size_t *size) {
  bool is_typed_array;
  napi_typedarray_type type;
  if (!check(env, napi_is_typedarray(env, value, &is_typed_array))) return false;
  if (!is_typed_array) return throw_type(env, "expected a Uint8Array");
  if (!check(env, napi_get_typedarray_info(env, value, &type, size, data, NULL, NULL)))
    return false;
  return type == napi_uint8_array || throw_type(env, "expected a Uint8Array");
}

bool is_given(napi_env env, napi_value value, bool *result) {
  napi_valuetype type;
  if (!check(env, napi_typeof(env, value, &type))) return false;
  *result = type != napi_undefined;
  return true;
}
