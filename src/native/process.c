/* Processes by pidfd, and children that outlive their environment. */
#include "addon.h"
#include "threads.h"

#include <errno.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

/* Some C libraries are older than these system calls; the numbers are the same on all CPUs. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define WAIT_BY_PIDFD ((idtype_t)3) /* P_PIDFD */

bool js_pidfd_open(napi_env env, const struct call *call, napi_value *result) {
  int pid;
  if (!get_int(env, call->arguments[0], &pid)) return false;
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return throw_errno(env, errno, "pidfd_open", NULL);
  return return_fd(env, pidfd, result);
}

bool js_pidfd_send_signal(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int pidfd, signal;
  if (!get_int(env, call->arguments[0], &pidfd) || !get_int(env, call->arguments[1], &signal))
    return false;
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ||
         throw_errno(env, errno, "pidfd_send_signal", NULL);
}

bool js_pidfd_getfd(napi_env env, const struct call *call, napi_value *result) {
  int pidfd, number;
  if (!get_int(env, call->arguments[0], &pidfd) || !get_int(env, call->arguments[1], &number))
    return false;
  int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
  if (fd < 0) return throw_errno(env, errno, "pidfd_getfd", NULL);
  return return_fd(env, fd, result);
}

bool js_set_foreground(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int terminal, group;
  if (!get_int(env, call->arguments[0], &terminal) || !get_int(env, call->arguments[1], &group))
    return false;
  return tcsetpgrp(terminal, group) == 0 || throw_errno(env, errno, "tcsetpgrp", NULL);
}

/* --- Waiting ---------------------------------------------------------------------------------- */

static bool status_value(napi_env env, const siginfo_t *end, napi_value *result) {
  napi_value number, null;
  bool has_exited = end->si_code == CLD_EXITED;
  return check(env, napi_create_object(env, result)) && check(env, napi_get_null(env, &null)) &&
         check(env, napi_create_int32(env, end->si_status, &number)) &&
         check(env, napi_set_named_property(env, *result, "code", has_exited ? number : null)) &&
         check(env, napi_set_named_property(env, *result, "signal", has_exited ? null : number));
}

bool js_wait(napi_env env, const struct call *call, napi_value *result) {
  int pidfd;
  if (!get_int(env, call->arguments[0], &pidfd)) return false;

  siginfo_t end = {.si_pid = 0};
  if (waitid(WAIT_BY_PIDFD, (id_t)pidfd, &end, WEXITED | WNOHANG) < 0) {
    if (errno != ECHILD) return throw_errno(env, errno, "waitid", NULL);
    disown_child(env, pidfd);
    return true;
  }
  if (end.si_pid == 0) return check(env, napi_get_null(env, result));
  untrack_child(env, end.si_pid);
  return status_value(env, &end, result);
}

/* --- Children that outlive their environment -------------------------------------------------- */

static void *reap(void *pid) {
  while (waitpid((pid_t)(intptr_t)pid, NULL, 0) < 0 && errno == EINTR);
  return NULL;
}

/* Without a thread the child remains a zombie until this process ends. */
void reap_later(pid_t pid) {
  if (waitpid(pid, NULL, WNOHANG) == 0) create_detached_thread(reap, (void *)(intptr_t)pid);
}
