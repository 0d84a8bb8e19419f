/* Starts a program without copying this process: as after vfork, the child shares our memory until
 * execve. So the parent prepares everything, and the child only makes system calls. */
#include "spawn.h"
#include "spawn-threads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

/* Some C libraries are older than these system calls; the numbers are the same on all CPUs. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

struct launch {
  const struct spawn_request *request;
  /* The child writes these into our memory. */
  volatile int error;
  const char *volatile failed_call;
};

/* --- The child: system calls only ------------------------------------------------------------- */

static _Noreturn void fail(struct launch *launch, const char *call) {
  launch->error = errno;
  launch->failed_call = call;
  _exit(127);
}

static bool is_target(const struct spawn_request *request, int fd) {
  for (size_t i = 0; i < request->map_count; i++)
    if (request->map[i].target == fd) return true;
  return false;
}

/* Closes what is between the targets. False if the kernel is older than 5.9, or if a container's
 * seccomp filter does not know the system call. */
static bool close_ranges(const struct spawn_request *request) {
  unsigned next = 0;
  for (size_t i = 0; i < request->map_count; i++) {
    unsigned target = (unsigned)request->map[i].target;
    if (target > next && syscall(SYS_close_range, next, target - 1, 0) < 0) return false;
    next = target + 1;
  }
  return syscall(SYS_close_range, next, UINT_MAX, 0) == 0;
}

/* Opens the list of the child's descriptors. A full table has no number for the list itself: if the
 * child keeps no descriptor, any of them can go first, and otherwise the sources have gone. */
static int open_descriptor_list(const struct spawn_request *request) {
  if (request->map_count == 0) close(0);
  return open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Closes all descriptors but the targets, one by one. opendir() would allocate memory. */
static void close_listed(struct launch *launch) {
  struct entry { /* struct linux_dirent64, see getdents(2) */
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
  };
  _Alignas(struct entry) char buffer[4096];
  int list = open_descriptor_list(launch->request);
  if (list < 0) fail(launch, "open");
  long size;
  while ((size = syscall(SYS_getdents64, list, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < size; at += ((struct entry *)(buffer + at))->size) {
      int fd = 0;
      const char *digit = ((struct entry *)(buffer + at))->name;
      if (*digit == '.') continue;
      for (; *digit; digit++) fd = 10 * fd + (*digit - '0');
      if (fd != list && !is_target(launch->request, fd)) close(fd);
    }
  }
  if (size < 0) fail(launch, "getdents64");
}

/* The sources are above all targets, so that swaps and cycles are plain copies. */
static void arrange_descriptors(struct launch *launch) {
  const struct spawn_request *request = launch->request;
  for (size_t i = 0; i < request->map_count; i++) {
    if (dup2(request->map[i].source, request->map[i].target) < 0) fail(launch, "dup2");
    close(request->map[i].source);
  }
  if (!close_ranges(request)) close_listed(launch);
}

/* Gives the child default handlers and an empty mask. The handlers are reset before the mask,
 * because a signal that arrives in between would run our handlers in our memory. */
static void reset_signals(void) {
  struct sigaction by_default = {.sa_handler = SIG_DFL};
  uint64_t none = 0;
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &by_default, NULL);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static void install_filter(struct launch *launch) {
  const struct sock_fprog *filter = &launch->request->filter;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) == 0) return;
  if (errno != EACCES) fail(launch, "seccomp");
  /* Without CAP_SYS_ADMIN the kernel accepts a filter only after no_new_privs. */
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(launch, "prctl");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0) fail(launch, "seccomp");
}

/* The functions of the C library would change the ids of all threads of this process. */
static void become_user(struct launch *launch) {
  const struct spawn_request *request = launch->request;
  uid_t uid = request->ids[0];
  gid_t gid = request->ids[1];
  if (syscall(SYS_setgroups, request->id_count - 2, request->ids + 2) < 0) fail(launch, "setgroups");
  if (syscall(SYS_setresgid, gid, gid, gid) < 0) fail(launch, "setresgid");
  if (syscall(SYS_setresuid, uid, uid, uid) < 0) fail(launch, "setresuid");
}

static int child(void *data) {
  struct launch *launch = data;
  const struct spawn_request *request = launch->request;
  reset_signals();
  if (request->new_session && setsid() < 0) fail(launch, "setsid");
  if (request->has_umask) umask(request->umask);
  if (request->cwd && chdir(request->cwd) < 0) fail(launch, "chdir");
  /* Without the right to enter its directory, this process may still be there. */
  if (request->directory >= 0) syscall(SYS_fchdir, request->directory);
  arrange_descriptors(launch);
  if (request->has_filter) install_filter(launch);
  if (request->ids) become_user(launch);
  execve(request->file, request->args, request->env);
  fail(launch, "execve");
}

/* --- The parent ------------------------------------------------------------------------------- */

/* Returns the child's pid, or -1 after setting launch->error and launch->failed_call. This thread
 * sleeps until the child calls execve or exits, so the child can use a part of our stack. */
static pid_t start(struct launch *launch, int *pidfd) {
  _Alignas(16) char stack[64 * 1024];
  uint64_t all = ~(uint64_t)0, before;
  /* sigprocmask() would leave out the C library's own signals. */
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  *pidfd = -1;
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | launch->request->clone_flags;
  /* A child that changes its user makes the memory that it shares with us undumpable. */
  static pthread_mutex_t undumpable = PTHREAD_MUTEX_INITIALIZER;
  if (launch->request->ids) pthread_mutex_lock(&undumpable);
  int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  pid_t pid = clone(child, stack + sizeof stack, flags, launch, pidfd, NULL, NULL);
  int error = errno;
  if (launch->request->ids && dumpable == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (launch->request->ids) pthread_mutex_unlock(&undumpable);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
#ifdef __SANITIZE_ADDRESS__
  /* The child does not return from its functions, so their guard zones are still there. */
  __asan_unpoison_memory_region(stack, sizeof stack);
#endif
  if (pid < 0) {
    launch->error = error;
    launch->failed_call = "clone";
    return -1;
  }
  if (*pidfd < 0) { /* a kernel before 5.2 ignores CLONE_PIDFD and starts the child anyway */
    kill(pid, SIGKILL);
    launch->error = ENOSYS;
    launch->failed_call = "clone";
  }
  if (!launch->error) return pid;
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR);
  if (*pidfd >= 0) close(*pidfd);
  return -1;
}

/* --- On another thread ------------------------------------------------------------------------ */

/* One call of spawn(). */
struct spawning {
  struct spawn_job job; /* must be the first member */
  struct spawn_request request;
  struct launch launch;
  pid_t pid;
  int pidfd;
  napi_deferred deferred;
  napi_threadsafe_function settle;
  bool is_orphaned; /* the environment has ended, and settle() with it */
};

/* Held while a thread hands over its result. */
static pthread_mutex_t handing_over = PTHREAD_MUTEX_INITIALIZER;

static void free_spawning(struct spawning *spawning) {
  free_spawn_request(&spawning->request);
  free(spawning);
}

/* Nobody will know the child. */
static void abandon(const struct spawning *spawning) {
  if (spawning->pid < 0) return;
  close(spawning->pidfd);
  reap_later(spawning->pid);
}

static void run(struct spawn_job *job) {
  struct spawning *spawning = (struct spawning *)job;
  spawning->pid = start(&spawning->launch, &spawning->pidfd);
  close_copies(&spawning->request);
  pthread_mutex_lock(&handing_over);
  bool is_orphaned = spawning->is_orphaned;
  if (!is_orphaned) {
    napi_threadsafe_function settle = spawning->settle;
    require_ok(napi_call_threadsafe_function(settle, spawning, napi_tsfn_nonblocking),
               "napi_call_threadsafe_function");
    require_ok(napi_release_threadsafe_function(settle, napi_tsfn_release), "napi_release_threadsafe_function");
  }
  pthread_mutex_unlock(&handing_over);
  if (!is_orphaned) return;
  abandon(spawning);
  free_spawning(spawning);
}

/* Runs before Node frees the thread-safe function. */
static void on_environment_end(void *data) {
  struct spawning *spawning = data;
  pthread_mutex_lock(&handing_over);
  spawning->is_orphaned = true;
  pthread_mutex_unlock(&handing_over);
}

/* --- The result ------------------------------------------------------------------------------- */

static bool throw_failure(napi_env env, const struct launch *launch) {
  const char *call = launch->failed_call;
  const char *path = NULL;
  if (!strcmp(call, "execve")) path = launch->request->file;
  if (!strcmp(call, "chdir")) path = launch->request->cwd;
  return throw_errno(env, launch->error, call, path);
}

static bool child_value(napi_env env, const struct spawning *spawning, napi_value *value) {
  napi_value pid, pidfd;
  if (spawning->pid < 0) return throw_failure(env, &spawning->launch);
  if (!check(env, napi_create_object(env, value)) ||
      !check(env, napi_create_int32(env, spawning->pid, &pid)) ||
      !check(env, napi_create_int32(env, spawning->pidfd, &pidfd)) ||
      !check(env, napi_set_named_property(env, *value, "pid", pid)) ||
      !check(env, napi_set_named_property(env, *value, "pidfd", pidfd)) || !reserve_handles(env, 1)) {
    abandon(spawning);
    return false;
  }
  track(env, spawning->pidfd, spawning->pid);
  return true;
}

/* Without an environment if that ends. */
static void settle(napi_env env, napi_value callback, void *context, void *data) {
  (void)callback, (void)context;
  struct spawning *spawning = data;
  napi_value value;
  /* The thread may still use the thread-safe function. */
  pthread_mutex_lock(&handing_over);
  pthread_mutex_unlock(&handing_over);
  if (!env) {
    abandon(spawning);
    free_spawning(spawning);
    return;
  }
  require_ok(napi_remove_env_cleanup_hook(env, on_environment_end, spawning), "napi_remove_env_cleanup_hook");
  /* These fail only in an environment that is ending, where no JavaScript runs any more. */
  if (child_value(env, spawning, &value)) {
    (void)napi_resolve_deferred(env, spawning->deferred, value);
  } else if (napi_get_and_clear_last_exception(env, &value) == napi_ok) {
    (void)napi_reject_deferred(env, spawning->deferred, value);
  }
  free_spawning(spawning);
}

/* --- The call --------------------------------------------------------------------------------- */

/* Takes *spawning, also after a failure. */
static bool queue(napi_env env, struct spawning *spawning, napi_value *result) {
  napi_value name;
  if (!check(env, napi_create_string_utf8(env, "CRIU_SPAWN", NAPI_AUTO_LENGTH, &name)) ||
      !check(env, napi_create_promise(env, &spawning->deferred, result)) ||
      !check(env, napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, settle,
                                                  &spawning->settle))) {
    free_spawning(spawning);
    return false;
  }
  spawning->job.run = run;
  require_ok(napi_add_env_cleanup_hook(env, on_environment_end, spawning), "napi_add_env_cleanup_hook");
  int error = queue_spawn_job(&spawning->job);
  if (!error) return true;
  require_ok(napi_remove_env_cleanup_hook(env, on_environment_end, spawning), "napi_remove_env_cleanup_hook");
  require_ok(napi_release_threadsafe_function(spawning->settle, napi_tsfn_abort),
             "napi_release_threadsafe_function");
  free_spawning(spawning);
  return throw_errno(env, error, "pthread_create", NULL);
}

bool js_spawn(napi_env env, const struct call *call, napi_value *result) {
  struct spawning *spawning = calloc(1, sizeof *spawning);
  if (!spawning) return throw_errno(env, ENOMEM, "calloc", NULL);
  spawning->launch.request = &spawning->request;
  if (get_spawn_request(env, call->arguments[0], &spawning->request))
    return queue(env, spawning, result);
  free_spawning(spawning);
  return false;
}
