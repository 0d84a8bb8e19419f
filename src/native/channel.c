/* Sockets that keep packets apart, pipes, and readiness in the event loop. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

/* The kernel's SCM_MAX_FD: no packet carries more. */
#define MAX_FDS 253

/* [first, second], both held; or neither when that fails. */
static napi_value pair_value(napi_env env, const int pair[2]) {
  napi_value result;
  napi_value first = fd_value(env, pair[0]), second = fd_value(env, pair[1]);
  if (first && second && napi_create_array_with_length(env, 2, &result) == napi_ok &&
      napi_set_element(env, result, 0, first) == napi_ok &&
      napi_set_element(env, result, 1, second) == napi_ok)
    return result;
  for (int i = 0; i < 2; i++) drop(env, pair[i]), close(pair[i]);
  return NULL;
}

/* All calls below make pairs whose first end is this process's own: it alone must not block. */
static napi_value nonblocking_pair(napi_env env, int pair[2]) {
  if (fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK) == 0)
    return pair_value(env, pair);
  int error = errno;
  close(pair[0]), close(pair[1]);
  return throw_errno(env, error, "fcntl", NULL);
}

napi_value js_socketpair(napi_env env, napi_callback_info info) {
  (void)info;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return throw_errno(env, errno, "socketpair", NULL);
  return nonblocking_pair(env, pair);
}

/* Connects to a SOCK_SEQPACKET socket by its path. EAGAIN: its queue of connections is full. */
napi_value js_connect(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length;
  if (!get_arguments(env, info, &argument, 1)) return NULL;
  if (napi_get_value_string_utf8(env, argument, NULL, 0, &length) != napi_ok)
    return throw_type(env, "expected a string");
  if (length >= sizeof address.sun_path) return throw_errno(env, ENAMETOOLONG, "connect", NULL);
  if (napi_get_value_string_utf8(env, argument, address.sun_path, sizeof address.sun_path, NULL) !=
      napi_ok)
    return throw_type(env, "expected a string");
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket", NULL);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd_value(env, fd);
  int error = errno;
  close(fd);
  return throw_errno(env, error, "connect", address.sun_path);
}

/* So many bytes may wait in either direction, if the system's limit is not lower. */
napi_value js_stream_pair(napi_env env, napi_callback_info info) {
  napi_value argument;
  int pair[2], size;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &size)) return NULL;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return throw_errno(env, errno, "socketpair", NULL);
  for (int end = 0; end < 2; end++)
    setsockopt(pair[end], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return nonblocking_pair(env, pair);
}

napi_value js_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) < 0) return throw_errno(env, errno, "pipe2", NULL);
  return nonblocking_pair(env, pair);
}

napi_value js_set_blocking(napi_env env, napi_callback_info info) {
  napi_value argument;
  int fd;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &fd)) return NULL;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
    return throw_errno(env, errno, "fcntl", NULL);
  return NULL;
}

napi_value js_send(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int fd;
  void *data;
  size_t size;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &fd) ||
      !get_bytes(env, arguments[1], &data, &size))
    return NULL;
  ssize_t sent;
  do sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? throw_errno(env, errno, "send", NULL) : NULL;
}

/* --- Receiving -------------------------------------------------------------------------------- */

/* How long the next packet is. 0 stands for the end of file as well, and nobody sends nothing. */
static ssize_t next_size(int fd) {
  ssize_t size;
  do size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  while (size < 0 && errno == EINTR);
  return size;
}

/* Reads one packet, and collects the descriptors that came with it. */
static ssize_t read_packet(int fd, void *data, size_t size, int *fds, size_t *count) {
  union {
    struct cmsghdr header; /* for its alignment */
    char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
  } control;
  struct iovec body = {.iov_base = data, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t received;
  do received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (received < 0 && errno == EINTR);
  *count = 0;
  if (received < 0) return -1;

  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t bytes = c->cmsg_len - CMSG_LEN(0);
    memcpy(fds + *count, CMSG_DATA(c), bytes);
    *count += bytes / sizeof(int);
  }
  if (!(message.msg_flags & MSG_CTRUNC)) return received;
  /* The kernel dropped descriptors: there was no room for them in this process. */
  for (size_t i = 0; i < *count; i++) close(fds[i]);
  errno = EMFILE;
  return -1;
}

static bool packet_value(napi_env env, napi_value buffer, size_t size, const int *fds, size_t count,
                         napi_value *packet) {
  napi_value data, list;
  if (napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &data) != napi_ok ||
      napi_create_array_with_length(env, count, &list) != napi_ok ||
      napi_create_object(env, packet) != napi_ok ||
      napi_set_named_property(env, *packet, "data", data) != napi_ok ||
      napi_set_named_property(env, *packet, "fds", list) != napi_ok)
    return false;
  for (size_t i = 0; i < count; i++) {
    napi_value fd;
    if (napi_create_int32(env, fds[i], &fd) != napi_ok ||
        napi_set_element(env, list, (uint32_t)i, fd) != napi_ok)
      return false;
  }
  return true;
}

static napi_value receive_failure(napi_env env, const char *syscall) {
  napi_value null = NULL;
  if (errno != EAGAIN) return throw_errno(env, errno, syscall, NULL);
  napi_get_null(env, &null);
  return null;
}

napi_value js_receive(napi_env env, napi_callback_info info) {
  napi_value argument, buffer, packet;
  int fd;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &fd)) return NULL;

  ssize_t size = next_size(fd);
  if (size < 0) return receive_failure(env, "recv");
  if (size == 0) return NULL;

  void *data;
  if (napi_create_arraybuffer(env, (size_t)size, &data, &buffer) != napi_ok) return NULL;
  int fds[MAX_FDS];
  size_t count;
  ssize_t received = read_packet(fd, data, (size_t)size, fds, &count);
  if (received < 0) return receive_failure(env, "recvmsg");

  if (packet_value(env, buffer, (size_t)received, fds, count, &packet)) {
    for (size_t i = 0; i < count; i++) hold(env, fds[i], 0);
    return packet;
  }
  for (size_t i = 0; i < count; i++) close(fds[i]);
  return NULL;
}

/* --- Watching --------------------------------------------------------------------------------- */

/* Two parties use a watch: libuv until its close callback, and the JavaScript object until it is
 * collected. Whoever leaves last frees it, so that neither the order in which an environment is
 * torn down nor a forgotten object matters. */
struct watch {
  uv_poll_t poll;
  bool in_loop, in_js;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
};

static const napi_type_tag watch_tag = {0x6e6f64652d637269, 0x752f776174636801};

static void free_when_unused(struct watch *watch) {
  if (!watch->in_loop && !watch->in_js) free(watch);
}

static void release_references(struct watch *watch) {
  if (watch->callback) napi_delete_reference(watch->env, watch->callback);
  if (watch->context) napi_async_destroy(watch->env, watch->context);
  /* Last: an environment that is ending has waited for this. */
  if (watch->hook) napi_remove_async_cleanup_hook(watch->hook);
}

static void on_closed(uv_handle_t *handle) {
  struct watch *watch = handle->data;
  release_references(watch);
  watch->in_loop = false;
  free_when_unused(watch);
}

static void stop(struct watch *watch) {
  uv_handle_t *handle = (uv_handle_t *)&watch->poll;
  if (watch->in_loop && !uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  stop(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct watch *watch = data;
  watch->in_js = false;
  free_when_unused(watch);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct watch *watch = poll->data;
  napi_env env = watch->env;
  /* libuv ends a poll on EPOLLERR. That can be a pending ECONNRESET, which receive() is to report
   * before it goes on to what is still queued. */
  if (status < 0) uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, on_ready);

  napi_handle_scope scope;
  napi_value callback, global, exception;
  bool thrown = false;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_reference_value(env, watch->callback, &callback) == napi_ok &&
      napi_get_global(env, &global) == napi_ok &&
      napi_make_callback(env, watch->context, global, callback, 0, NULL, NULL) != napi_ok &&
      napi_is_exception_pending(env, &thrown) == napi_ok && thrown &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok)
    napi_fatal_exception(env, exception);
  napi_close_handle_scope(env, scope);
}

/* The watch that a method was called on, or NULL. */
static struct watch *this_watch(napi_env env, napi_callback_info info) {
  size_t none = 0;
  napi_value object;
  bool is_watch = false;
  void *watch = NULL;
  if (napi_get_cb_info(env, info, &none, NULL, &object, NULL) == napi_ok &&
      napi_check_object_type_tag(env, object, &watch_tag, &is_watch) == napi_ok && is_watch)
    napi_unwrap(env, object, &watch);
  if (!watch) throw_type(env, "not a watch");
  return watch;
}

static napi_value watch_close(napi_env env, napi_callback_info info) {
  struct watch *watch = this_watch(env, info);
  if (watch) stop(watch);
  return NULL;
}

static napi_value watch_ref(napi_env env, napi_callback_info info) {
  struct watch *watch = this_watch(env, info);
  if (watch && watch->in_loop) uv_ref((uv_handle_t *)&watch->poll);
  return NULL;
}

static napi_value watch_unref(napi_env env, napi_callback_info info) {
  struct watch *watch = this_watch(env, info);
  if (watch && watch->in_loop) uv_unref((uv_handle_t *)&watch->poll);
  return NULL;
}

static bool watch_object(napi_env env, struct watch *watch, napi_value *object) {
  const napi_property_descriptor methods[] = {
      {"close", NULL, watch_close, NULL, NULL, NULL, napi_enumerable, NULL},
      {"ref", NULL, watch_ref, NULL, NULL, NULL, napi_enumerable, NULL},
      {"unref", NULL, watch_unref, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_create_object(env, object) != napi_ok ||
      napi_define_properties(env, *object, 3, methods) != napi_ok ||
      napi_type_tag_object(env, *object, &watch_tag) != napi_ok ||
      napi_wrap(env, *object, watch, on_collected, NULL, NULL) != napi_ok)
    return false;
  watch->in_js = true;
  return true;
}

static bool watch_references(napi_env env, struct watch *watch, napi_value callback) {
  napi_value name;
  return napi_create_string_utf8(env, "CRIU_WATCH", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(env, NULL, name, &watch->context) == napi_ok &&
         napi_create_reference(env, callback, 1, &watch->callback) == napi_ok &&
         napi_add_async_cleanup_hook(env, on_environment_end, watch, &watch->hook) == napi_ok;
}

napi_value js_watch(napi_env env, napi_callback_info info) {
  napi_value arguments[2], object;
  napi_valuetype type;
  int fd;
  uv_loop_t *loop;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &fd)) return NULL;
  if (napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function)
    return throw_type(env, "expected a function");
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;

  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch) return throw_errno(env, ENOMEM, "calloc", NULL);
  watch->env = env;
  /* Refuses what cannot be polled (EPERM) and what is watched already (EEXIST). */
  int status = uv_poll_init(loop, &watch->poll, fd);
  if (status < 0) {
    free(watch);
    return throw_errno(env, -status, "uv_poll_init", NULL);
  }
  watch->poll.data = watch;
  watch->in_loop = true;
  if (!watch_references(env, watch, arguments[1]) || !watch_object(env, watch, &object)) {
    stop(watch);
    return NULL;
  }
  status = uv_poll_start(&watch->poll, UV_READABLE | UV_DISCONNECT, on_ready);
  if (status == 0) return object;
  stop(watch);
  return throw_errno(env, -status, "uv_poll_start", NULL);
}
