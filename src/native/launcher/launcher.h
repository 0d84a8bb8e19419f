/* Starts a program in mounts of its own, and is its init in a pid namespace of its own. */
#pragma once

/* The exit codes of a launcher that could not start its program, as those of env(1) and of shells. */
enum { LAUNCHER_FAILED = 125, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/* Reports what failed, with the reason of errno, and ends this process. */
_Noreturn void fail(const char *what, const char *object);

/* Executes a program; ends this process if that fails. */
_Noreturn void execute(char **program);

/* Each takes the arguments of one step. */
void make_private(char **arguments);
void make_slave(char **arguments);
void bind_mount(char **arguments);
void bind_all(char **arguments);
void mount_tmpfs(char **arguments);
void mount_proc(char **arguments);
void change_root(char **arguments);

/* Is the program as an action script of CRIU. */
_Noreturn void ask_listener(const char *link);

/* Runs a program as its init, and ends with its exit code, or 128 and the number of its signal. Its standard streams
 * and the descriptor `own` are all that stays open in the init; the program has all but `own`.
 * user is "UID:GID" with further groups behind commas, or NULL. */
_Noreturn void run_as_init(char **program, const char *user, int own);
