/* Listening sockets that a program on this host connects to, and passes descriptors through. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool listen_at(napi_env env, const char *path, napi_value *result) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return throw_errno(env, ENAMETOOLONG, "bind", NULL);
  memcpy(address.sun_path, path, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket", NULL);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
    return return_fd(env, fd, result);
  int error = errno;
  close(fd);
  return throw_errno(env, error, "bind", path);
}

bool js_listen(napi_env env, const struct call *call, napi_value *result) {
  char *path = NULL;
  bool done = get_string(env, call->arguments[0], &path) && listen_at(env, path, result);
  free(path);
  return done;
}

bool js_accept(napi_env env, const struct call *call, napi_value *result) {
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  int accepted;
  do accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (accepted < 0 && errno == EINTR);
  if (accepted >= 0) return return_fd(env, accepted, result);
  if (errno != EAGAIN && errno != ECONNABORTED) return throw_errno(env, errno, "accept", NULL);
  return check(env, napi_get_null(env, result));
}

bool js_set_pipe_size(napi_env env, const struct call *call, napi_value *result) {
  int fd, size;
  if (!get_int(env, call->arguments[0], &fd) || !get_int(env, call->arguments[1], &size))
    return false;
  bool is_set = fcntl(fd, F_SETPIPE_SZ, size) >= 0;
  if (!is_set && errno != EPERM && errno != EBUSY && errno != ENOMEM)
    return throw_errno(env, errno, "fcntl", NULL);
  return check(env, napi_get_boolean(env, is_set, result));
}
