/* Starting a program without copying this process: the child borrows our memory (as after vfork)
 * until exec. So everything is prepared before, and the child only makes system calls. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Libcs older than the kernel's interface lack these names. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

struct mapping {
  int target, source;
};

struct plan {
  char *file, *cwd;
  char **args, **env;
  struct mapping *map; /* sorted by target */
  size_t map_count;
  int floor; /* the first descriptor above every target */
  int open_max;
  bool new_session, has_umask, has_filter;
  mode_t umask;
  struct sock_fprog filter;
  /* Written by the child, in our memory. */
  volatile int error;
  const char *volatile failed_call;
};

/* --- The child: system calls only, each of which may end it ----------------------------------- */

static _Noreturn void give_up(struct plan *plan, const char *call) {
  plan->error = errno;
  plan->failed_call = call;
  _exit(127);
}

static void close_all(unsigned first, unsigned last, int open_max) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  /* A kernel before 5.9, or a container's filter that does not know the call. */
  for (unsigned fd = first; fd <= last && fd < (unsigned)open_max; fd++) close((int)fd);
}

/* Sources move out of the way of all targets first: any swap or cycle is then a plain copy. */
static void arrange_descriptors(struct plan *plan) {
  for (size_t i = 0; i < plan->map_count; i++) {
    plan->map[i].source = fcntl(plan->map[i].source, F_DUPFD_CLOEXEC, plan->floor);
    if (plan->map[i].source < 0) give_up(plan, "fcntl");
  }
  unsigned next = 0;
  for (size_t i = 0; i < plan->map_count; i++) {
    unsigned target = (unsigned)plan->map[i].target;
    if (dup2(plan->map[i].source, (int)target) < 0) give_up(plan, "dup2");
    if (target > next) close_all(next, target - 1, plan->open_max);
    next = target + 1;
  }
  close_all(next, UINT_MAX, plan->open_max);
}

/* Clean signals: what this process ignores, handles or blocks is no business of the child's. The
 * handlers go before the mask does, for they would run in our memory. */
static void reset_signals(void) {
  struct sigaction by_default = {.sa_handler = SIG_DFL};
  uint64_t none = 0;
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &by_default, NULL);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static void install_filter(struct plan *plan) {
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &plan->filter) == 0) return;
  if (errno != EACCES) give_up(plan, "seccomp");
  /* Without CAP_SYS_ADMIN a filter needs the promise never to gain privileges. */
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) give_up(plan, "prctl");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &plan->filter) < 0)
    give_up(plan, "seccomp");
}

static int child(void *data) {
  struct plan *plan = data;
  reset_signals();
  if (plan->new_session && setsid() < 0) give_up(plan, "setsid");
  if (plan->has_umask) umask(plan->umask);
  if (plan->cwd && chdir(plan->cwd) < 0) give_up(plan, "chdir");
  arrange_descriptors(plan);
  if (plan->has_filter) install_filter(plan);
  execve(plan->file, plan->args, plan->env);
  give_up(plan, "execve");
}

/* --- The parent ------------------------------------------------------------------------------- */

/* The child's pid, or -1 with plan->error and plan->failed_call. This thread sleeps until the child
 * has left our memory, so that the child can live on a piece of our stack. */
static pid_t launch(struct plan *plan, int *pidfd) {
  _Alignas(16) char stack[64 * 1024];
  uint64_t all = ~(uint64_t)0, before;
  /* Really all signals: sigprocmask() would spare the libc's own, whose handlers are no safer. */
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
  *pidfd = -1;
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  pid_t pid = clone(child, stack + sizeof stack, flags, plan, pidfd, NULL, NULL);
  int error = errno;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
  if (pid < 0) {
    plan->error = error;
    plan->failed_call = "clone";
    return -1;
  }
  if (*pidfd < 0) { /* a kernel before 5.2 does not know CLONE_PIDFD, and starts the child anyway */
    kill(pid, SIGKILL);
    plan->error = ENOSYS;
    plan->failed_call = "clone";
  }
  if (!plan->error) return pid;
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR);
  if (*pidfd >= 0) close(*pidfd);
  return -1;
}

/* --- From the request to the plan ------------------------------------------------------------- */

static bool get_string(napi_env env, napi_value value, char **result) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type(env, "expected a string");
    return false;
  }
  *result = malloc(length + 1);
  if (!*result) {
    throw_errno(env, ENOMEM, "malloc", NULL);
    return false;
  }
  napi_get_value_string_utf8(env, value, *result, length + 1, &length);
  if (strlen(*result) == length) return true;
  throw_type(env, "a string holds a NUL character");
  return false;
}

/* A zeroed array with one item more than the JavaScript array has. */
static void *array_for(napi_env env, napi_value list, size_t item_size, uint32_t *length) {
  bool is_array;
  if (napi_is_array(env, list, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, list, length) != napi_ok)
    return throw_type(env, "expected an array");
  void *items = calloc((size_t)*length + 1, item_size);
  return items ? items : (void *)throw_errno(env, ENOMEM, "calloc", NULL);
}

static bool get_strings(napi_env env, napi_value list, char ***result) {
  uint32_t length;
  if (!(*result = array_for(env, list, sizeof **result, &length))) return false;
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    if (napi_get_element(env, list, i, &item) != napi_ok || !get_string(env, item, &(*result)[i]))
      return false;
  }
  return true;
}

static int by_target(const void *a, const void *b) {
  const struct mapping *left = a, *right = b;
  return (left->target > right->target) - (left->target < right->target);
}

static bool get_map(napi_env env, napi_value list, struct plan *plan) {
  uint32_t length;
  if (!(plan->map = array_for(env, list, sizeof *plan->map, &length))) return false;
  for (uint32_t i = 0; i < length; i++) {
    napi_value pair, target, source;
    bool is_array;
    struct mapping *mapping = &plan->map[i];
    if (napi_get_element(env, list, i, &pair) != napi_ok) return false;
    if (napi_is_array(env, pair, &is_array) != napi_ok || !is_array)
      return throw_type(env, "expected pairs of descriptors");
    if (napi_get_element(env, pair, 0, &target) != napi_ok ||
        napi_get_element(env, pair, 1, &source) != napi_ok ||
        !get_int(env, target, &mapping->target) || !get_int(env, source, &mapping->source))
      return false;
    if (mapping->target < 0 || mapping->target == INT_MAX || mapping->source < 0)
      return throw_type(env, "not a descriptor");
  }
  plan->map_count = length;
  qsort(plan->map, length, sizeof *plan->map, by_target);
  for (uint32_t i = 1; i < length; i++)
    if (plan->map[i].target == plan->map[i - 1].target)
      return throw_type(env, "a descriptor of the child is given twice");
  plan->floor = length ? plan->map[length - 1].target + 1 : 0;
  return true;
}

static bool get_filter(napi_env env, napi_value value, struct plan *plan) {
  void *data;
  size_t size;
  if (!get_bytes(env, value, &data, &size)) return false;
  plan->filter = (struct sock_fprog){
      .len = (unsigned short)(size / sizeof(struct sock_filter)), .filter = data};
  if (size == plan->filter.len * sizeof(struct sock_filter)) return true;
  return throw_type(env, "not a BPF program");
}

static bool is_given(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type != napi_undefined;
}

static bool get_plan(napi_env env, napi_value request, struct plan *plan) {
  enum { PROGRAM, ARGS, ENV, DESCRIPTORS, CWD, NEW_SESSION, UMASK, FILTER, PROPERTIES };
  static const char *const names[PROPERTIES] = {
      "file", "args", "env", "descriptors", "cwd", "newSession", "umask", "seccompFilter"};
  napi_value values[PROPERTIES];
  napi_valuetype type;
  int umask = 0;
  if (napi_typeof(env, request, &type) != napi_ok || type != napi_object)
    return throw_type(env, "expected an object");
  for (int i = 0; i < PROPERTIES; i++)
    if (napi_get_named_property(env, request, names[i], &values[i]) != napi_ok) return false;

  if (!get_string(env, values[PROGRAM], &plan->file) ||
      !get_strings(env, values[ARGS], &plan->args) ||
      !get_strings(env, values[ENV], &plan->env) || !get_map(env, values[DESCRIPTORS], plan))
    return false;
  if (is_given(env, values[CWD]) && !get_string(env, values[CWD], &plan->cwd)) return false;
  if (is_given(env, values[NEW_SESSION]) &&
      napi_get_value_bool(env, values[NEW_SESSION], &plan->new_session) != napi_ok)
    return throw_type(env, "expected a boolean");
  plan->has_umask = is_given(env, values[UMASK]);
  if (plan->has_umask && !get_int(env, values[UMASK], &umask)) return false;
  plan->umask = (mode_t)umask;
  /* Last: the plan points into the filter's own bytes, and no JavaScript runs from here on. */
  plan->has_filter = is_given(env, values[FILTER]);
  return !plan->has_filter || get_filter(env, values[FILTER], plan);
}

static void free_strings(char **strings) {
  for (char **string = strings; string && *string; string++) free(*string);
  free(strings);
}

static void free_plan(struct plan *plan) {
  free(plan->file);
  free(plan->cwd);
  free_strings(plan->args);
  free_strings(plan->env);
  free(plan->map);
}

static napi_value child_value(napi_env env, pid_t pid, int pidfd) {
  napi_value result, pid_number, pidfd_number;
  hold(env, pidfd, pid);
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_int32(env, pid, &pid_number) != napi_ok ||
      napi_create_int32(env, pidfd, &pidfd_number) != napi_ok ||
      napi_set_named_property(env, result, "pid", pid_number) != napi_ok ||
      napi_set_named_property(env, result, "pidfd", pidfd_number) != napi_ok)
    return NULL;
  return result;
}

static napi_value throw_failure(napi_env env, const struct plan *plan) {
  const char *call = plan->failed_call;
  const char *path = NULL;
  if (!strcmp(call, "execve")) path = plan->file;
  if (!strcmp(call, "chdir")) path = plan->cwd;
  return throw_errno(env, plan->error, call, path);
}

napi_value js_spawn(napi_env env, napi_callback_info info) {
  napi_value request, result = NULL;
  struct plan plan = {0};
  struct rlimit limit;
  plan.open_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int)limit.rlim_cur : 1024;
  if (get_arguments(env, info, &request, 1) && get_plan(env, request, &plan)) {
    int pidfd;
    pid_t pid = launch(&plan, &pidfd);
    result = pid < 0 ? throw_failure(env, &plan) : child_value(env, pid, pidfd);
  }
  free_plan(&plan);
  return result;
}
