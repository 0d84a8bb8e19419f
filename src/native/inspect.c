/* Looking at other processes without touching them, where /proc does not tell. Nothing here waits. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <uv.h>

/* --- Netlink ---------------------------------------------------------------------------------- */

struct netlink_request {
  int protocol, netns, fd, error;
};

static void open_netlink(void *argument) {
  struct netlink_request *request = argument;
  request->fd = -1;
  if (request->netns < 0 || setns(request->netns, CLONE_NEWNET) == 0)
    request->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, request->protocol);
  request->error = errno;
}

/* A socket stays in the network namespace that it was opened in; a thread may enter another one
 * without the rest of the process. */
napi_value js_netlink(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct netlink_request request;
  uv_thread_t thread;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &request.protocol) ||
      !get_int(env, arguments[1], &request.netns))
    return NULL;
  if (request.netns < 0) {
    open_netlink(&request);
  } else {
    int status = uv_thread_create(&thread, open_netlink, &request);
    if (status < 0) return throw_errno(env, -status, "pthread_create", NULL);
    uv_thread_join(&thread);
  }
  if (request.fd < 0) return throw_errno(env, request.error, "socket", NULL);
  return fd_value(env, request.fd);
}

/* --- Sockets of others ------------------------------------------------------------------------ */

/* What CRIU does at the end of a dump: as long as it reads a connection, that is in repair mode. */
static int end_repair(int fd, bool *was_on) {
  int value = 0;
  socklen_t size = sizeof value;
  *was_on = false;
  /* Of another protocol, or no socket at all. */
  if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &value, &size) < 0)
    return errno == EOPNOTSUPP || errno == ENOPROTOOPT || errno == ENOTSOCK ? 0 : -1;
  if (value == 0) return 0;
  *was_on = true;
  int off = 0, reuse = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) < 0) return -1;
  /* The kernel has turned it off, and a server that starts anew needs it on its old connections. */
  return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
}

napi_value js_end_tcp_repair(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  int pidfd, number;
  bool was_on;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &pidfd) ||
      !get_int(env, arguments[1], &number))
    return NULL;
  int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
  if (fd < 0) return throw_errno(env, errno, "pidfd_getfd", NULL);
  int status = end_repair(fd, &was_on), error = errno;
  close(fd);
  if (status < 0) return throw_errno(env, error, "setsockopt", NULL);
  return napi_get_boolean(env, was_on, &result) == napi_ok ? result : NULL;
}

/* --- Files by handle and by attribute --------------------------------------------------------- */

napi_value js_open_by_handle(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  int mount, type;
  void *data;
  size_t size;
  if (!get_arguments(env, info, arguments, 3) || !get_int(env, arguments[0], &mount) ||
      !get_int(env, arguments[1], &type) || !get_bytes(env, arguments[2], &data, &size))
    return NULL;
  if (size > MAX_HANDLE_SZ) return throw_errno(env, EINVAL, "open_by_handle_at", NULL);
  union {
    struct file_handle header;
    char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } handle = {.header = {.handle_bytes = (unsigned)size, .handle_type = type}};
  memcpy(handle.header.f_handle, data, size);
  int fd = open_by_handle_at(mount, &handle.header, O_PATH | O_CLOEXEC);
  return fd < 0 ? throw_errno(env, errno, "open_by_handle_at", NULL) : fd_value(env, fd);
}

napi_value js_get_attribute(napi_env env, napi_callback_info info) {
  napi_value arguments[2], buffer, result;
  char path[PATH_MAX], name[XATTR_NAME_MAX + 1], value[256];
  void *data;
  if (!get_arguments(env, info, arguments, 2)) return NULL;
  if (napi_get_value_string_utf8(env, arguments[0], path, sizeof path, NULL) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[1], name, sizeof name, NULL) != napi_ok)
    return throw_type(env, "expected a string");
  ssize_t size = getxattr(path, name, value, sizeof value);
  if (size < 0) return throw_errno(env, errno, "getxattr", path);
  if (napi_create_arraybuffer(env, (size_t)size, &data, &buffer) != napi_ok) return NULL;
  memcpy(data, value, (size_t)size);
  if (napi_create_typedarray(env, napi_uint8_array, (size_t)size, buffer, 0, &result) != napi_ok)
    return NULL;
  return result;
}
