/*
 * What the clients of the benchmark have in common. Each is given the path of criu, reads requests from
 * its standard input, one a line, and answers each with a line: the nanoseconds that it took, or "error".
 *
 *   version              asks criu for its version
 *   features             asks for three features of the kernel
 *   dump PID DIR END     dumps a process, and lets it run on if END is 0
 *   restore DIR          restores what was dumped
 *   grow MIB             makes the client itself larger by so much memory in use
 *
 * An answer begins with the word that the request begins with, its number.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Each is the client's own, and returns whether it went well. */
static int ask_version(void);
static int ask_features(void);
static int dump(int pid, const char *directory, int end);
static int restore(const char *directory);

static int64_t nanoseconds(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Of ordinary pages, as a heap of many small things is: newer libcs ask for huge ones. */
static int grow(size_t mib) {
	char *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, mib << 20, MADV_NOHUGEPAGE) != 0) return 0;
	memset(memory, 1, mib << 20);
	return 1;
}

static int perform(const char *what, const char *rest) {
	char directory[4096];
	int pid, end;
	if (!strcmp(what, "version")) return ask_version();
	if (!strcmp(what, "features")) return ask_features();
	if (!strcmp(what, "grow")) return grow(strtoul(rest, NULL, 10));
	if (!strcmp(what, "restore") && sscanf(rest, " %4095s", directory) == 1) return restore(directory);
	if (!strcmp(what, "dump") && sscanf(rest, " %d %4095s %d", &pid, directory, &end) == 3)
		return dump(pid, directory, end);
	return 0;
}

static void serve(void) {
	char line[8192], number[32], what[32];
	int length;
	setvbuf(stdin, NULL, _IOFBF, sizeof line);
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "%31s %31s%n", number, what, &length) < 2) exit(2);
		int64_t start = nanoseconds();
		int good = perform(what, line + length);
		int64_t took = nanoseconds() - start;
		if (good)
			printf("%s %jd\n", number, (intmax_t)took);
		else
			printf("%s error\n", number);
		fflush(stdout);
	}
}
