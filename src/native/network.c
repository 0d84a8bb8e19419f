/* Network namespaces, and sockets in them. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* What a thread does in a namespace of its own. */
struct task {
  bool (*run)(struct task *task);
  int netns; /* the namespace to enter, or -1 */
  int family, type, protocol;
  int fds[2];
  int error;
};

static void enter_and_run(void *argument) {
  struct task *task = argument;
  bool done = (task->netns < 0 || setns(task->netns, CLONE_NEWNET) == 0) && task->run(task);
  task->error = done ? 0 : errno;
}

/* A socket belongs to the network namespace that it was created in. A thread of its own enters that
 * namespace, so that the rest of the process stays where it is. */
static bool run_in_thread(napi_env env, struct task *task, const char *call) {
  uv_thread_t thread;
  int status = uv_thread_create(&thread, enter_and_run, task);
  if (status < 0) return throw_errno(env, -status, "pthread_create", NULL);
  uv_thread_join(&thread);
  return task->error == 0 || throw_errno(env, task->error, call, NULL);
}

static bool open_socket(struct task *task) {
  int type = task->type | SOCK_CLOEXEC | SOCK_NONBLOCK;
  task->fds[0] = socket(task->family, type, task->protocol);
  return task->fds[0] >= 0;
}

static bool return_socket(napi_env env, struct task *task, napi_value *result) {
  task->run = open_socket;
  if (task->netns < 0) {
    if (!open_socket(task)) return throw_errno(env, errno, "socket", NULL);
  } else if (!run_in_thread(env, task, "socket")) {
    return false;
  }
  return return_fd(env, task->fds[0], result);
}

bool js_netlink(napi_env env, const struct call *call, napi_value *result) {
  struct task task = {.family = AF_NETLINK, .type = SOCK_RAW};
  return get_int(env, call->arguments[0], &task.protocol) &&
         get_int(env, call->arguments[1], &task.netns) && return_socket(env, &task, result);
}

bool js_tcp_socket(napi_env env, const struct call *call, napi_value *result) {
  struct task task = {.type = SOCK_STREAM};
  int version;
  if (!get_int(env, call->arguments[0], &version) || !get_int(env, call->arguments[1], &task.netns))
    return false;
  task.family = version == 6 ? AF_INET6 : AF_INET;
  return return_socket(env, &task, result);
}

static bool open_pair(struct task *task) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, task->fds) == 0;
}

bool js_stream_pair(napi_env env, const struct call *call, napi_value *result) {
  struct task task = {.run = open_pair, .netns = -1};
  int size;
  bool has_namespace;
  if (!get_int(env, call->arguments[0], &size) ||
      !is_given(env, call->arguments[1], &has_namespace) ||
      (has_namespace && !get_int(env, call->arguments[1], &task.netns)))
    return false;
  if (task.netns >= 0) {
    if (!run_in_thread(env, &task, "socketpair")) return false;
  } else if (!open_pair(&task)) {
    return throw_errno(env, errno, "socketpair", NULL);
  }
  /* The kernel caps the size at net.core.wmem_max, so the result is not checked. */
  for (int end = 0; end < 2; end++)
    setsockopt(task.fds[end], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return return_nonblocking_pair(env, task.fds, result);
}

static bool raise_loopback(struct task *task) {
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  (void)task;
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return false;
  bool is_up = ioctl(control, SIOCSIFFLAGS, &loopback) == 0;
  int error = errno;
  close(control);
  errno = error;
  return is_up;
}

static bool make_network(struct task *task) {
  if (unshare(CLONE_NEWNET) < 0 || !raise_loopback(task)) return false;
  task->fds[0] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  return task->fds[0] >= 0;
}

/* A network namespace exists as long as a descriptor of it is open. */
bool js_new_network(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  struct task task = {.run = make_network, .netns = -1};
  return run_in_thread(env, &task, "unshare") && return_fd(env, task.fds[0], result);
}

bool js_raise_loopback(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct task task = {.run = raise_loopback};
  return get_int(env, call->arguments[0], &task.netns) && run_in_thread(env, &task, "SIOCSIFFLAGS");
}

/* A socket of protocol 0 receives nothing. */
bool js_packet_socket(napi_env env, const struct call *call, napi_value *result) {
  struct sockaddr_ll device = {.sll_family = AF_PACKET};
  if (!get_int(env, call->arguments[0], &device.sll_ifindex)) return false;
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket", NULL);
  if (bind(fd, (struct sockaddr *)&device, sizeof device) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, "bind", NULL);
  }
  return return_fd(env, fd, result);
}
