/* cli CRIU: a client that runs criu's own command, in the cheapest way there is. See client.h. */
#include "client.h"

#include <spawn.h>
#include <sys/wait.h>

static char *criu;
static posix_spawn_file_actions_t quiet;

/* The exit status of the command. */
static int run(char *args[]) {
	extern char **environ;
	pid_t pid;
	int status;
	args[0] = criu;
	if (posix_spawn(&pid, criu, &quiet, NULL, args, environ) != 0) return -1;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
	return WEXITSTATUS(status);
}

static int ask_version(void) {
	return run((char *[]){ "", "--version", NULL }) == 0;
}

/* Its exit status says whether all of them are there. */
static int ask_features(void) {
	return run((char *[]){ "", "check", "--feature", "mem_dirty_track", "--feature", "uffd-noncoop", "--feature",
			       "pidfd_store", NULL }) >= 0;
}

static int dump(int pid, const char *directory, int end) {
	char number[16];
	snprintf(number, sizeof number, "%d", pid);
	return run((char *[]){ "", "dump", "-t", number, "-D", (char *)directory, "-o", "dump.log",
			       end ? NULL : "--leave-running", NULL }) == 0;
}

static int restore(const char *directory) {
	return run((char *[]){ "", "restore", "-D", (char *)directory, "-o", "restore.log", "-d", NULL }) == 0;
}

int main(int argc, char **argv) {
	if (argc < 2) return 2;
	criu = argv[1];
	posix_spawn_file_actions_init(&quiet);
	for (int fd = 0; fd <= 2; fd++) posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
	serve();
}
