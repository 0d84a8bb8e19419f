/* Files of the kinds and with the attributes that Node cannot make. Names are bytes: they need not be UTF-8. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The largest value of an attribute, and of a list of names, in the kernel. */
#define MAX_ATTRIBUTE 65536

/* Copies bytes into a string; the caller frees it, also after a failure. */
static bool get_name(napi_env env, napi_value value, char **result) {
  void *data;
  size_t size;
  if (!get_bytes(env, value, &data, &size)) return false;
  if (size && memchr(data, 0, size)) return throw_type(env, "a name contains a NUL character");
  *result = calloc(1, size + 1);
  if (!*result) return throw_errno(env, ENOMEM, "calloc", NULL);
  if (size) memcpy(*result, data, size);
  return true;
}

bool js_make_node(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  char *path = NULL;
  int mode;
  double device;
  bool done = false;
  if (get_name(env, call->arguments[0], &path) && get_int(env, call->arguments[1], &mode) &&
      check(env, napi_get_value_double(env, call->arguments[2], &device)))
    /* glibc has the function since 2.33 */
    done = syscall(SYS_mknodat, AT_FDCWD, path, (mode_t)mode, (unsigned)device) == 0 ||
           throw_errno(env, errno, "mknod", path);
  free(path);
  return done;
}

bool js_set_attribute(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  char *path = NULL, *name = NULL;
  void *value;
  size_t size;
  bool done = false;
  if (get_name(env, call->arguments[0], &path) && get_string(env, call->arguments[1], &name) &&
      get_bytes(env, call->arguments[2], &value, &size))
    done = lsetxattr(path, name, value, size, 0) == 0 || throw_errno(env, errno, "lsetxattr", path);
  free(path), free(name);
  return done;
}

/* Adds `[name, value]` to an array. An attribute that was removed meanwhile is left out. */
static bool add_attribute(napi_env env, const char *path, const char *name, char *value,
                          napi_value array, uint32_t *count) {
  ssize_t size = lgetxattr(path, name, value, MAX_ATTRIBUTE);
  if (size < 0 && errno == ENODATA) return true;
  if (size < 0) return throw_errno(env, errno, "lgetxattr", path);
  napi_value pair, text, bytes;
  return check(env, napi_create_array_with_length(env, 2, &pair)) &&
         check(env, napi_create_string_latin1(env, name, NAPI_AUTO_LENGTH, &text)) &&
         check(env, napi_create_buffer_copy(env, (size_t)size, value, NULL, &bytes)) &&
         check(env, napi_set_element(env, pair, 0, text)) &&
         check(env, napi_set_element(env, pair, 1, bytes)) &&
         check(env, napi_set_element(env, array, (*count)++, pair));
}

static bool add_attributes(napi_env env, const char *path, char *names, char *value,
                           napi_value array) {
  uint32_t count = 0;
  ssize_t size = llistxattr(path, names, MAX_ATTRIBUTE);
  /* The file system has no attributes. */
  if (size < 0 && errno == ENOTSUP) return true;
  if (size < 0) return throw_errno(env, errno, "llistxattr", path);
  for (char *name = names; name < names + size; name += strlen(name) + 1)
    if (!add_attribute(env, path, name, value, array, &count)) return false;
  return true;
}

bool js_attributes(napi_env env, const struct call *call, napi_value *result) {
  char *path = NULL, *names = malloc(MAX_ATTRIBUTE), *value = malloc(MAX_ATTRIBUTE);
  bool done = false;
  if (!names || !value)
    throw_errno(env, ENOMEM, "malloc", NULL);
  else if (get_name(env, call->arguments[0], &path) && check(env, napi_create_array(env, result)))
    done = add_attributes(env, path, names, value, *result);
  free(path), free(names), free(value);
  return done;
}
