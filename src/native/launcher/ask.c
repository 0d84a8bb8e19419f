#include "launcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char name[] = "/socket";

/* As an action script of CRIU, tells the process that listens on the unix socket beside the link by which it was
 * executed which step CRIU has reached, and of which process. Ends this process, with an error unless the answer is
 * "go": also if nobody answers. */
void ask_listener(const char *link) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *step = getenv("CRTOOLS_SCRIPT_ACTION"), *pid = getenv("CRTOOLS_INIT_PID");
  const char *end = strrchr(link, '/');
  size_t length = end ? (size_t)(end - link) : 0;
  char answer[2];
  errno = ENAMETOOLONG;
  if (length + sizeof name > sizeof address.sun_path) fail("connect to a socket beside", link);
  memcpy(address.sun_path, link, length);
  memcpy(address.sun_path + length, name, sizeof name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect to", address.sun_path);
  dprintf(fd, "%s %s\n", step ? step : "", pid ? pid : "");
  for (size_t got = 0; got < sizeof answer;) {
    ssize_t count = read(fd, answer + got, sizeof answer - got);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(LAUNCHER_FAILED);
    got += (size_t)count;
  }
  _exit(memcmp(answer, "go", sizeof answer) ? LAUNCHER_FAILED : 0);
}
