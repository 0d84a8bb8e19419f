/* Exceptions: failed system calls in the form of Node's own errors, and failed Node-API calls. */
#include "addon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

/* Must run directly after the failed call: the next Node-API call overwrites its description. */
static void throw_last_error(napi_env env) {
  const napi_extended_error_info *info = NULL;
  bool is_pending = false;
  const char *message = "a Node-API call failed";
  if (napi_get_last_error_info(env, &info) == napi_ok && info->error_message)
    message = info->error_message;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending) return;
  /* This fails only in an environment that is ending, where no JavaScript runs any more. */
  (void)napi_throw_error(env, NULL, message);
}

bool check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  throw_last_error(env);
  return false;
}

void require_ok(napi_status status, const char *call) {
  if (status != napi_ok) napi_fatal_error("node-criu", NAPI_AUTO_LENGTH, call, NAPI_AUTO_LENGTH);
}

static bool set_string(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  return check(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

bool throw_errno(napi_env env, int error, const char *syscall, const char *path) {
  char code[64], reason[256], text[PATH_MAX + 512];
  if (error == ENOEXEC) { /* the only error of execve that libuv does not know */
    strcpy(code, "ENOEXEC");
    strcpy(reason, "exec format error");
  } else {
    uv_err_name_r(-error, code, sizeof code);
    uv_strerror_r(-error, reason, sizeof reason);
  }
  snprintf(text, sizeof text, path ? "%s: %s, %s '%s'" : "%s: %s, %s", code, reason, syscall, path);

  napi_value message, exception, number;
  if (check(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message)) &&
      check(env, napi_create_error(env, NULL, message, &exception)) &&
      check(env, napi_create_int32(env, error, &number)) &&
      check(env, napi_set_named_property(env, exception, "errno", number)) &&
      set_string(env, exception, "code", code) && set_string(env, exception, "syscall", syscall) &&
      (!path || set_string(env, exception, "path", path)))
    check(env, napi_throw(env, exception));
  return false;
}

bool throw_type(napi_env env, const char *message) {
  check(env, napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message));
  return false;
}

/* Makes the pending exception an uncaught exception: there is no JavaScript caller to catch it. */
void report_exception(napi_env env) {
  napi_value exception;
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok)
    /* This fails only in an environment that is ending, where no JavaScript runs any more. */
    (void)napi_fatal_exception(env, exception);
}
