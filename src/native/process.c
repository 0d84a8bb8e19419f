/* Processes by their pidfd: signalling, waiting, and the last children of an environment. */
#include "addon.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Named by their numbers: libcs older than the kernel's interface lack the names. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define WAIT_BY_PIDFD ((idtype_t)3)

napi_value js_pidfd_open(napi_env env, napi_callback_info info) {
  napi_value argument;
  int pid;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &pid)) return NULL;
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  return pidfd < 0 ? throw_errno(env, errno, "pidfd_open", NULL) : fd_value(env, pidfd);
}

napi_value js_pidfd_send_signal(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int pidfd, signal;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &pidfd) ||
      !get_int(env, arguments[1], &signal))
    return NULL;
  if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
    return throw_errno(env, errno, "pidfd_send_signal", NULL);
  return NULL;
}

napi_value js_pidfd_getfd(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  int pidfd, number;
  if (!get_arguments(env, info, arguments, 2) || !get_int(env, arguments[0], &pidfd) ||
      !get_int(env, arguments[1], &number))
    return NULL;
  int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
  return fd < 0 ? throw_errno(env, errno, "pidfd_getfd", NULL) : fd_value(env, fd);
}

/* --- Waiting ---------------------------------------------------------------------------------- */

static napi_value status_value(napi_env env, int code, int status) {
  napi_value result, number, null;
  bool exited = code == CLD_EXITED;
  if (napi_create_object(env, &result) != napi_ok || napi_get_null(env, &null) != napi_ok ||
      napi_create_int32(env, status, &number) != napi_ok)
    return NULL;
  napi_set_named_property(env, result, "code", exited ? number : null);
  napi_set_named_property(env, result, "signal", exited ? null : number);
  return result;
}

napi_value js_wait(napi_env env, napi_callback_info info) {
  napi_value argument, null = NULL;
  int pidfd;
  if (!get_arguments(env, info, &argument, 1) || !get_int(env, argument, &pidfd)) return NULL;

  siginfo_t end = {.si_pid = 0};
  if (waitid(WAIT_BY_PIDFD, (id_t)pidfd, &end, WEXITED | WNOHANG) < 0) {
    if (errno != ECHILD) return throw_errno(env, errno, "waitid", NULL);
    disown_child(env, pidfd);
    return NULL;
  }
  if (end.si_pid == 0) {
    napi_get_null(env, &null);
    return null;
  }
  forget_child(env, end.si_pid);
  return status_value(env, end.si_code, end.si_status);
}

/* --- Children that outlive their environment -------------------------------------------------- */

/* Bound to its first version, so that an addon built on today's glibc loads on one of 2.28. */
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17");
#endif

static void *reap(void *pid) {
  while (waitpid((pid_t)(intptr_t)pid, NULL, 0) < 0 && errno == EINTR);
  return NULL;
}

/* The thread may outlive every environment that loaded the addon, and Node unloads an addon after
 * its last one: the build links with -z nodelete, so that the code above stays. */
void reap_later(pid_t pid) {
  if (waitpid(pid, NULL, WNOHANG) != 0) return;
  pthread_t thread;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_create(&thread, &detached, reap, (void *)(intptr_t)pid);
  pthread_attr_destroy(&detached);
}
