/* The addon's door, and what its parts share: arguments, errors, and the list of what an
 * environment (the main thread or a worker) must give back when it ends. */
#include "addon.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* --- Arguments -------------------------------------------------------------------------------- */

bool get_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  return napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok;
}

bool get_int(napi_env env, napi_value value, int *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= INT_MIN) ||
      !(number <= INT_MAX) || number != (int)number) {
    throw_type(env, "expected an integer");
    return false;
  }
  *result = (int)number;
  return true;
}

bool get_bytes(napi_env env, napi_value value, void **data, size_t *size) {
  bool is_typed_array;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &type, size, data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    throw_type(env, "expected a Uint8Array");
    return false;
  }
  return true;
}

/* --- Errors ----------------------------------------------------------------------------------- */

static void set_string(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(env, object, name, value);
}

napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path) {
  char code[64], reason[256], text[PATH_MAX + 512];
  if (error == ENOEXEC) { /* the one error of exec that libuv does not know */
    strcpy(code, "ENOEXEC");
    strcpy(reason, "exec format error");
  } else {
    uv_err_name_r(-error, code, sizeof code);
    uv_strerror_r(-error, reason, sizeof reason);
  }
  snprintf(text, sizeof text, path ? "%s: %s, %s '%s'" : "%s: %s, %s", code, reason, syscall, path);

  napi_value message, exception, number;
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(env, NULL, message, &exception) != napi_ok ||
      napi_create_int32(env, error, &number) != napi_ok)
    return NULL;
  napi_set_named_property(env, exception, "errno", number);
  set_string(env, exception, "code", code);
  set_string(env, exception, "syscall", syscall);
  if (path) set_string(env, exception, "path", path);
  napi_throw(env, exception);
  return NULL;
}

napi_value throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

/* --- What an environment holds ---------------------------------------------------------------- */

/* A descriptor that JavaScript has and has not closed, or a child that nobody has waited for, or
 * both: a child's pidfd. -1 and 0 stand for neither. */
struct held {
  int fd;
  pid_t child;
};

struct holdings {
  struct held *items;
  size_t count, capacity;
};

static struct holdings *holdings_of(napi_env env) {
  void *holdings = NULL;
  napi_get_instance_data(env, &holdings);
  return holdings;
}

static struct held *find_fd(struct holdings *holdings, int fd) {
  for (size_t i = 0; fd >= 0 && i < holdings->count; i++)
    if (holdings->items[i].fd == fd) return &holdings->items[i];
  return NULL;
}

/* Forgets an entry that stands for nothing any more; the last one takes its place. */
static void tidy(struct holdings *holdings, struct held *entry) {
  if (entry->fd < 0 && entry->child == 0) *entry = holdings->items[--holdings->count];
}

void hold(napi_env env, int fd, pid_t child) {
  struct holdings *holdings = holdings_of(env);
  if (holdings->count == holdings->capacity) {
    size_t capacity = holdings->capacity ? 2 * holdings->capacity : 16;
    struct held *items = realloc(holdings->items, capacity * sizeof *items);
    if (!items) abort(); /* as Node does when memory is out */
    holdings->items = items;
    holdings->capacity = capacity;
  }
  holdings->items[holdings->count++] = (struct held){.fd = fd, .child = child};
}

/* Forgets a descriptor, but not the child behind it: that one still wants to be reaped. */
bool drop(napi_env env, int fd) {
  struct holdings *holdings = holdings_of(env);
  struct held *entry = find_fd(holdings, fd);
  if (!entry) return false;
  entry->fd = -1;
  tidy(holdings, entry);
  return true;
}

void forget_child(napi_env env, pid_t pid) {
  struct holdings *holdings = holdings_of(env);
  for (size_t i = 0; i < holdings->count; i++) {
    if (holdings->items[i].child != pid) continue;
    holdings->items[i].child = 0;
    tidy(holdings, &holdings->items[i]);
    return;
  }
}

void disown_child(napi_env env, int pidfd) {
  struct held *entry = find_fd(holdings_of(env), pidfd);
  if (entry) entry->child = 0;
}

/* The environment ends; its watches were closed before, see channel.c. */
static void give_back(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct holdings *holdings = data;
  for (size_t i = 0; i < holdings->count; i++) {
    if (holdings->items[i].fd >= 0) close(holdings->items[i].fd);
    if (holdings->items[i].child) reap_later(holdings->items[i].child);
  }
  free(holdings->items);
  free(holdings);
}

/* A descriptor on its way to JavaScript, which answers for it from now on. */
napi_value fd_value(napi_env env, int fd) {
  napi_value value = NULL;
  hold(env, fd, 0);
  napi_create_int32(env, fd, &value);
  return value;
}

static napi_value js_close(napi_env env, napi_callback_info info) {
  napi_value argument;
  int fd;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &fd)) return NULL;
  drop(env, fd);
  /* On Linux an interrupted close() has closed. */
  if (close(fd) < 0 && errno != EINTR) return throw_errno(env, errno, "close", NULL);
  return NULL;
}

static napi_value js_release(napi_env env, napi_callback_info info) {
  napi_value argument;
  int fd;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &fd)) return NULL;
  disown_child(env, fd);
  drop(env, fd);
  return NULL;
}

/* --- The door --------------------------------------------------------------------------------- */

NAPI_MODULE_INIT() {
  struct holdings *holdings = calloc(1, sizeof *holdings);
  napi_value page_size;
  if (!holdings || napi_set_instance_data(env, holdings, give_back, NULL) != napi_ok ||
      napi_create_double(env, (double)sysconf(_SC_PAGESIZE), &page_size) != napi_ok) {
    napi_throw_error(env, NULL, "node-criu's addon cannot be set up");
    return NULL;
  }

#define METHOD(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}
  const napi_property_descriptor properties[] = {
      METHOD("socketpair", js_socketpair),
      METHOD("connect", js_connect),
      METHOD("streamPair", js_stream_pair),
      METHOD("pipe", js_pipe),
      METHOD("send", js_send),
      METHOD("receive", js_receive),
      METHOD("watch", js_watch),
      METHOD("setBlocking", js_set_blocking),
      METHOD("spawn", js_spawn),
      METHOD("pidfdOpen", js_pidfd_open),
      METHOD("pidfdSendSignal", js_pidfd_send_signal),
      METHOD("pidfdGetfd", js_pidfd_getfd),
      METHOD("wait", js_wait),
      METHOD("netlink", js_netlink),
      METHOD("endTcpRepair", js_end_tcp_repair),
      METHOD("openByHandle", js_open_by_handle),
      METHOD("getAttribute", js_get_attribute),
      METHOD("close", js_close),
      METHOD("release", js_release),
      {"pageSize", NULL, NULL, NULL, NULL, page_size, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  return exports;
}
