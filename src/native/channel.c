/* Pipes, and sockets that preserve the boundaries of packets. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel's SCM_MAX_FD: the most descriptors that one packet can carry. */
#define MAX_FDS 253

/* Returns [first, second] to JavaScript; closes both on failure. */
static bool return_pair(napi_env env, const int pair[2], napi_value *result) {
  napi_value first, second;
  if (!reserve_handles(env, 2) || !check(env, napi_create_int32(env, pair[0], &first)) ||
      !check(env, napi_create_int32(env, pair[1], &second)) ||
      !check(env, napi_create_array_with_length(env, 2, result)) ||
      !check(env, napi_set_element(env, *result, 0, first)) ||
      !check(env, napi_set_element(env, *result, 1, second))) {
    close(pair[0]), close(pair[1]);
    return false;
  }
  track(env, pair[0], 0), track(env, pair[1], 0);
  return true;
}

bool return_nonblocking_pair(napi_env env, const int pair[2], napi_value *result) {
  int flags = fcntl(pair[0], F_GETFL);
  if (flags >= 0 && fcntl(pair[0], F_SETFL, flags | O_NONBLOCK) == 0)
    return return_pair(env, pair, result);
  int error = errno;
  close(pair[0]), close(pair[1]);
  return throw_errno(env, error, "fcntl", NULL);
}

bool js_socketpair(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return throw_errno(env, errno, "socketpair", NULL);
  return return_nonblocking_pair(env, pair, result);
}

static bool connect_to(napi_env env, const char *path, napi_value *result) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return throw_errno(env, ENAMETOOLONG, "connect", NULL);
  memcpy(address.sun_path, path, length);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket", NULL);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return return_fd(env, fd, result);
  int error = errno;
  close(fd);
  return throw_errno(env, error, "connect", path);
}

bool js_connect(napi_env env, const struct call *call, napi_value *result) {
  char *path = NULL;
  bool done = get_string(env, call->arguments[0], &path) && connect_to(env, path, result);
  free(path);
  return done;
}

bool js_pipe(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) < 0) return throw_errno(env, errno, "pipe2", NULL);
  return return_nonblocking_pair(env, pair, result);
}

bool js_set_blocking(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
    return throw_errno(env, errno, "fcntl", NULL);
  return true;
}

bool js_signal_at_end(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd, pid, signal;
  if (!get_int(env, call->arguments[0], &fd) || !get_int(env, call->arguments[1], &pid) ||
      !get_int(env, call->arguments[2], &signal))
    return false;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETSIG, signal) < 0 || fcntl(fd, F_SETOWN, pid) < 0 ||
      fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
    return throw_errno(env, errno, "fcntl", NULL);
  return true;
}

bool js_send(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd;
  void *data;
  size_t size;
  if (!get_int(env, call->arguments[0], &fd) || !get_bytes(env, call->arguments[1], &data, &size))
    return false;
  ssize_t sent;
  do sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 || throw_errno(env, errno, "send", NULL);
}

/* --- Receiving -------------------------------------------------------------------------------- */

/* The length of the next packet. 0 is the end of file: neither CRIU nor this library sends empty
 * packets. */
static ssize_t next_size(int fd) {
  ssize_t size;
  do size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  while (size < 0 && errno == EINTR);
  return size;
}

/* Reads one packet and the descriptors that came with it. */
static ssize_t read_packet(int fd, void *data, size_t size, int *fds, size_t *count) {
  union {
    struct cmsghdr header; /* aligns the buffer */
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
  /* The kernel dropped descriptors because this process has too many open. */
  for (size_t i = 0; i < *count; i++) close(fds[i]);
  errno = EMFILE;
  return -1;
}

static bool packet_value(napi_env env, napi_value buffer, size_t size, const int *fds, size_t count,
                         napi_value *packet) {
  napi_value data, list;
  if (!check(env, napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &data)) ||
      !check(env, napi_create_array_with_length(env, count, &list)) ||
      !check(env, napi_create_object(env, packet)) ||
      !check(env, napi_set_named_property(env, *packet, "data", data)) ||
      !check(env, napi_set_named_property(env, *packet, "fds", list)))
    return false;
  for (size_t i = 0; i < count; i++) {
    napi_value fd;
    if (!check(env, napi_create_int32(env, fds[i], &fd)) ||
        !check(env, napi_set_element(env, list, (uint32_t)i, fd)))
      return false;
  }
  return true;
}

/* Returns null if there is no packet yet, and throws for every other error. */
static bool receive_failed(napi_env env, const char *syscall, napi_value *result) {
  if (errno != EAGAIN) return throw_errno(env, errno, syscall, NULL);
  return check(env, napi_get_null(env, result));
}

bool js_receive(napi_env env, const struct call *call, napi_value *result) {
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;

  ssize_t size;
  bool is_stream;
  if (!is_given(env, call->arguments[1], &is_stream)) return false;
  if (is_stream) {
    int most;
    if (!get_int(env, call->arguments[1], &most)) return false;
    if (most <= 0) return throw_type(env, "expected a size");
    size = most;
  } else {
    size = next_size(fd);
  }
  if (size < 0) return receive_failed(env, "recv", result);
  if (size == 0) return true;

  napi_value buffer;
  void *data;
  if (!check(env, napi_create_arraybuffer(env, (size_t)size, &data, &buffer))) return false;
  int fds[MAX_FDS];
  size_t count;
  ssize_t received = read_packet(fd, data, (size_t)size, fds, &count);
  if (received < 0) return receive_failed(env, "recvmsg", result);
  if (received == 0 && is_stream) return true;

  if (reserve_handles(env, count) &&
      packet_value(env, buffer, (size_t)received, fds, count, result)) {
    for (size_t i = 0; i < count; i++) track(env, fds[i], 0);
    return true;
  }
  for (size_t i = 0; i < count; i++) close(fds[i]);
  return false;
}
