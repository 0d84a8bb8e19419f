#include "launcher.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The most supplementary groups that Linux allows. */
#define MAX_GROUPS 65536
/* Above those that a launcher is given. */
#define MAX_DESCRIPTOR 64

static gid_t groups[MAX_GROUPS];

static unsigned long parse_id(const char *text, char **end) {
  errno = 0;
  unsigned long id = strtoul(text, end, 10);
  if (*end == text || id > 0x7fffffff) errno = EINVAL;
  if (errno) fail("become user", text);
  return id;
}

/* Becomes "UID:GID[,GROUP…]". */
static void become(const char *user) {
  char *end;
  size_t count = 0;
  uid_t uid = (uid_t)parse_id(user, &end);
  gid_t gid = (gid_t)parse_id(*end == ':' ? end + 1 : end, &end);
  while (*end == ',' && count < MAX_GROUPS) groups[count++] = (gid_t)parse_id(end + 1, &end);
  if (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
    fail("become user", user);
}

/* The connections of the program would otherwise stay open after it has closed them. */
static void close_others(int own) {
  for (int fd = STDERR_FILENO + 1; fd < MAX_DESCRIPTOR; fd++)
    if (fd != own) close(fd);
}

static pid_t start(char **program, const char *user, int own, const sigset_t *mask) {
  pid_t pid = fork();
  if (pid < 0) fail("fork", program[0]);
  if (pid > 0) {
    close_others(own);
    return pid;
  }
  close(own);
  if (setsid() < 0) fail("start a session for", program[0]);
  if (user) become(user);
  sigprocmask(SIG_SETMASK, mask, NULL);
  execute(program);
}

/* Reaps what has ended. Ends, and with it all processes of the namespace, with the program. */
static void reap(pid_t program) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != program) continue;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

/* Reads what the process that restored this copy has sent through `own`: 'A' that the copy ends with the connection,
 * 'R' that it does not any more. */
static void follow(int own) {
  static bool ends_with_it;
  char byte;
  ssize_t size;
  while ((size = recv(own, &byte, 1, MSG_DONTWAIT)) > 0) ends_with_it = byte == 'A';
  if (size == 0 && ends_with_it) _exit(128 + SIGKILL);
}

void run_as_init(char **program, const char *user, int own) {
  sigset_t all, before;
  sigfillset(&all);
  /* The kernel drops signals for an init that neither handles nor blocks them. */
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t pid = start(program, user, own, &before);
  for (;;) {
    siginfo_t signal;
    if (sigwaitinfo(&all, &signal) < 0) continue; /* CRIU interrupts it */
    if (signal.si_signo == SIGCHLD) reap(pid);
    /* The kernel sends it for the connection, also to an init that is stopped. */
    else if (signal.si_signo == SIGCONT && signal.si_code > 0) follow(own);
    else kill(pid, signal.si_signo);
  }
}
