/* launcher STEP… -- PROGRAM ARGUMENT…: does one step after the other, and executes the program. */
#include "launcher.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

void fail(const char *what, const char *object) {
  dprintf(STDERR_FILENO, "cannot %s %s: %s\n", what, object, strerror(errno));
  _exit(LAUNCHER_FAILED);
}

void execute(char **program) {
  execv(program[0], program + 1);
  int code = errno == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  dprintf(STDERR_FILENO, "cannot execute %s: %s\n", program[0], strerror(errno));
  _exit(code);
}

/* directory PATH: the working directory. */
static void change_directory(char **arguments) {
  if (chdir(arguments[0]) < 0) fail("change to", arguments[0]);
}

/* network DESCRIPTOR: the network namespace, of which the program does not inherit the descriptor. */
static void enter_network(char **arguments) {
  int fd = atoi(arguments[0]);
  if (setns(fd, CLONE_NEWNET) < 0) fail("enter the network namespace of descriptor", arguments[0]);
  close(fd);
}

/* merge: the kernel may share equal pages of the program and its descendants with other processes. */
static void merge_memory(char **arguments) {
  (void)arguments;
  if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) < 0) fail("let the kernel merge", "memory");
}

static const char *user;
static int own = -1;

/* init DESCRIPTOR: the program gets this process as its init, which alone keeps the descriptor. */
static void become_init(char **arguments) {
  own = atoi(arguments[0]);
}

/* user UID:GID[,GROUP…]: of the program below init. */
static void set_user(char **arguments) {
  user = arguments[0];
}

static const struct step {
  const char *name;
  int arguments;
  void (*run)(char **arguments);
} steps[] = {
    {"private", 0, make_private},      {"bind", 2, bind_mount},   {"tmpfs", 1, mount_tmpfs},
    {"proc", 1, mount_proc},           {"root", 1, change_root},  {"directory", 1, change_directory},
    {"merge", 0, merge_memory},        {"init", 1, become_init},  {"user", 1, set_user},
    {"network", 1, enter_network},     {"slave", 0, make_slave},  {"rbind", 2, bind_all},
};

static const struct step *find_step(const char *name) {
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    if (!strcmp(steps[i].name, name)) return &steps[i];
  errno = EINVAL;
  fail("do", name);
}

int main(int count, char **arguments) {
  /* CRIU gives an action script no arguments. */
  if (count == 1) ask_listener(arguments[0]);
  int at = 1;
  while (at < count && strcmp(arguments[at], "--")) {
    const struct step *step = find_step(arguments[at++]);
    if (at + step->arguments >= count) break;
    step->run(arguments + at);
    at += step->arguments;
  }
  /* After "--" come the path of the program and its argv. */
  if (at + 2 >= count || strcmp(arguments[at], "--")) {
    errno = EINVAL;
    fail("read", "the arguments");
  }
  char **program = arguments + at + 1;
  if (own >= 0) run_as_init(program, user, own);
  execute(program);
}
