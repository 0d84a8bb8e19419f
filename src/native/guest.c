/* What a copy of a checkpointed program needs: see src/guest. */
#include "addon.h"

#include "openssl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* Blocks the thread until the descriptor is ready or hung up. Returns 0 if the time is over. */
static int wait_for(int fd, short events, int timeout) {
  struct pollfd descriptor = {.fd = fd, .events = events};
  int ready;
  /* A call that a dump has interrupted returns EINTR in the copies. */
  do ready = poll(&descriptor, 1, timeout);
  while (ready < 0 && errno == EINTR);
  if (ready > 0 && descriptor.revents & POLLNVAL) errno = EBADF, ready = -1;
  return ready;
}

/* No JavaScript runs meanwhile. */
bool js_await_readable(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  return wait_for(fd, POLLIN, -1) > 0 || throw_errno(env, errno, "poll", NULL);
}

bool js_send_all(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd, timeout;
  void *data;
  size_t size;
  if (!get_int(env, call->arguments[0], &fd) || !get_bytes(env, call->arguments[1], &data, &size) ||
      !get_int(env, call->arguments[2], &timeout))
    return false;
  for (size_t done = 0; done < size;) {
    ssize_t sent = send(fd, (char *)data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      done += (size_t)sent;
    else if (errno == EAGAIN) {
      int ready = wait_for(fd, POLLOUT, timeout);
      if (ready <= 0) return throw_errno(env, ready == 0 ? ETIMEDOUT : errno, "poll", NULL);
    } else if (errno != EINTR)
      return throw_errno(env, errno, "send", NULL);
  }
  return true;
}

bool js_duplicate(napi_env env, const struct call *call, napi_value *result) {
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return throw_errno(env, errno, "fcntl", NULL);
  return return_fd(env, copy, result);
}

/* Seeds the generator that all others of OpenSSL take their seeds from. The others, two per thread, notice that
 * at their next use. */
bool js_reseed(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  return check(env, napi_get_boolean(env, RAND_poll && RAND_poll() == 1, result));
}

/* How many operations of the event loop are under way, those on its threads among them. */
bool js_pending_requests(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  uv_loop_t *loop;
  return check(env, napi_get_uv_event_loop(env, &loop)) &&
         check(env, napi_create_uint32(env, loop->active_reqs.count, result));
}

bool js_set_hostname(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  char *name = NULL;
  bool done = get_string(env, call->arguments[0], &name);
  if (done && sethostname(name, strlen(name)) < 0)
    done = throw_errno(env, errno, "sethostname", NULL);
  free(name);
  return done;
}
