/* What /proc does not show of other processes and of files. No call here blocks for long. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

/* --- Sockets of other processes --------------------------------------------------------------- */

/* Does what CRIU does at the end of a dump: CRIU keeps a connection in repair mode while it reads
 * the connection's state. */
static int end_repair(int fd, bool *was_on) {
  int value = 0;
  socklen_t size = sizeof value;
  *was_on = false;
  /* The errors of a socket of another protocol, and of a descriptor that is not a socket. */
  if (getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &value, &size) < 0)
    return errno == EOPNOTSUPP || errno == ENOPROTOOPT || errno == ENOTSOCK ? 0 : -1;
  if (value == 0) return 0;
  *was_on = true;
  int off = 0, reuse = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) < 0) return -1;
  /* Leaving repair mode clears SO_REUSEADDR, without which a restarted server cannot bind its port
   * while old connections exist. */
  return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
}

bool js_end_tcp_repair(napi_env env, const struct call *call, napi_value *result) {
  int pidfd, number;
  bool was_on;
  if (!get_int(env, call->arguments[0], &pidfd) || !get_int(env, call->arguments[1], &number))
    return false;
  int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
  if (fd < 0) return throw_errno(env, errno, "pidfd_getfd", NULL);
  int status = end_repair(fd, &was_on), error = errno;
  close(fd);
  if (status < 0) return throw_errno(env, error, "setsockopt", NULL);
  return check(env, napi_get_boolean(env, was_on, result));
}

/* --- Files by handle, and extended attributes ------------------------------------------------- */

bool js_open_by_handle(napi_env env, const struct call *call, napi_value *result) {
  int mount, type;
  void *data;
  size_t size;
  if (!get_int(env, call->arguments[0], &mount) || !get_int(env, call->arguments[1], &type) ||
      !get_bytes(env, call->arguments[2], &data, &size))
    return false;
  if (size > MAX_HANDLE_SZ) return throw_errno(env, EINVAL, "open_by_handle_at", NULL);
  union {
    struct file_handle header;
    char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } handle = {.header = {.handle_bytes = (unsigned)size, .handle_type = type}};
  if (size > 0) memcpy(handle.header.f_handle, data, size);
  int fd = open_by_handle_at(mount, &handle.header, O_PATH | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "open_by_handle_at", NULL);
  return return_fd(env, fd, result);
}

static bool bytes_value(napi_env env, const void *bytes, size_t size, napi_value *result) {
  napi_value buffer;
  void *data;
  if (!check(env, napi_create_arraybuffer(env, size, &data, &buffer))) return false;
  if (size > 0) memcpy(data, bytes, size);
  return check(env, napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, result));
}

bool js_get_attribute(napi_env env, const struct call *call, napi_value *result) {
  char *path = NULL, *name = NULL, value[256];
  bool done = false;
  if (get_string(env, call->arguments[0], &path) && get_string(env, call->arguments[1], &name)) {
    ssize_t size = getxattr(path, name, value, sizeof value);
    done = size < 0 ? throw_errno(env, errno, "getxattr", path)
                    : bytes_value(env, value, (size_t)size, result);
  }
  free(path), free(name);
  return done;
}

/* Locks an open file, unless another open file description has locked it. With a second argument the lock is
 * shared with others of this kind. */
bool js_try_lock(napi_env env, const struct call *call, napi_value *result) {
  int fd;
  bool is_shared;
  if (!get_int(env, call->arguments[0], &fd) || !is_given(env, call->arguments[1], &is_shared))
    return false;
  bool locked = flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) return throw_errno(env, errno, "flock", NULL);
  return check(env, napi_get_boolean(env, locked, result));
}
