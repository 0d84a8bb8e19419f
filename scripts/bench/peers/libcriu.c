/* libcriu CRIU: a client that uses libcriu. See client.h. */
#include "client.h"

#include <criu/criu.h>

static char *criu;

static int begin(void) {
	if (criu_init_opts() != 0) return 0;
	return criu_set_service_binary(criu) == 0;
}

static int ask_version(void) {
	return begin() && criu_get_version() > 0;
}

static int ask_features(void) {
	struct criu_feature_check features = { .mem_track = true, .lazy_pages = true, .pidfd_store = true };
	return begin() && criu_feature_check(&features, sizeof features) == 0;
}

static int dump(int pid, const char *directory, int end) {
	int images = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images < 0 || !begin()) return 0;
	criu_set_pid(pid);
	criu_set_images_dir_fd(images);
	criu_set_log_file("dump.log");
	criu_set_leave_running(!end);
	int result = criu_dump();
	close(images);
	return result == 0;
}

static int restore(const char *directory) {
	int images = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (images < 0 || !begin()) return 0;
	criu_set_images_dir_fd(images);
	criu_set_log_file("restore.log");
	int pid = criu_restore();
	close(images);
	return pid > 0;
}

int main(int argc, char **argv) {
	if (argc < 2) return 2;
	criu = argv[1];
	serve();
}
