/* Starts a program without copying this process: as after vfork, the child shares our memory until
 * execve. So the parent prepares everything, and the child only makes system calls. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
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

/* Copies the sources above all targets first, so that swaps and cycles become plain copies. */
static void arrange_descriptors(struct launch *launch) {
  const struct spawn_request *request = launch->request;
  struct mapping *map = request->map;
  for (size_t i = 0; i < request->map_count; i++) {
    map[i].source = fcntl(map[i].source, F_DUPFD_CLOEXEC, request->floor);
    if (map[i].source < 0) fail(launch, "fcntl");
  }
  for (size_t i = 0; i < request->map_count; i++) {
    if (dup2(map[i].source, map[i].target) < 0) fail(launch, "dup2");
    close(map[i].source);
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
  int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  pid_t pid = clone(child, stack + sizeof stack, flags, launch, pidfd, NULL, NULL);
  int error = errno;
  /* A child that changes its user makes the memory that it shares with us undumpable. */
  if (launch->request->ids && dumpable == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
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

static bool throw_failure(napi_env env, const struct launch *launch) {
  const char *call = launch->failed_call;
  const char *path = NULL;
  if (!strcmp(call, "execve")) path = launch->request->file;
  if (!strcmp(call, "chdir")) path = launch->request->cwd;
  return throw_errno(env, launch->error, call, path);
}

static bool child_value(napi_env env, pid_t pid, int pidfd, napi_value *result) {
  napi_value pid_number, pidfd_number;
  return check(env, napi_create_object(env, result)) &&
         check(env, napi_create_int32(env, pid, &pid_number)) &&
         check(env, napi_create_int32(env, pidfd, &pidfd_number)) &&
         check(env, napi_set_named_property(env, *result, "pid", pid_number)) &&
         check(env, napi_set_named_property(env, *result, "pidfd", pidfd_number));
}

static bool spawn(napi_env env, const struct spawn_request *request, napi_value *result) {
  struct launch launch = {.request = request};
  int pidfd;
  if (!reserve_handles(env, 1)) return false;
  pid_t pid = start(&launch, &pidfd);
  if (pid < 0) return throw_failure(env, &launch);
  track(env, pidfd, pid);
  return child_value(env, pid, pidfd, result);
}

bool js_spawn(napi_env env, const struct call *call, napi_value *result) {
  struct spawn_request request = {0};
  bool done = get_spawn_request(env, call->arguments[0], &request) && spawn(env, &request, result);
  free_spawn_request(&request);
  return done;
}
