#include "lazy-pages.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
  MIN_CHUNK = 16,   /* how many pages come with one that a thread waits for, and are requested next */
  CHUNKS_AHEAD = 4, /* how many chunks are requested before the first is answered */
  CHANGING_MS = 1,  /* how long to wait for a process that is changing its mappings */
  FINISHED = 0x52535446, /* CRIU's LAZY_PAGES_RESTORE_FINISHED */
};

size_t page_size;

static bool is_finished; /* all mappings of the processes are registered */
static bool has_begun;   /* the processes run */
/* How many pages are requested at once in the background: fewer if threads wait for pages. */
static uint64_t chunk = MIN_CHUNK;
static char *buffer;

/* Until the restore is finished no process runs: then the end of the process that has started the
 * daemon is the end. */
static _Noreturn void wait_for_end(void) {
  struct pollfd status = {.fd = STATUS};
  while (!is_finished && poll(&status, 1, -1) < 0);
  if (!is_finished) exit(1);
  for (;;) pause();
}

_Noreturn void fail(const char *call, const char *about) {
  dprintf(STATUS, "%s %s: %s", call, about, strerror(errno));
  wait_for_end();
}

_Noreturn void fail_because(const char *reason) {
  dprintf(STATUS, "%s", reason);
  wait_for_end();
}

static int listen_for_restore(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "lazy-pages.socket"};
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(address.sun_path);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) ||
      listen(listener, 1))
    fail("listen on", address.sun_path);
  return listener;
}

/* The end of the process that has started the daemon closes STATUS. */
static int accept_restore(int listener) {
  struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = STATUS}};
  while (poll(fds, 2, -1) < 0)
    if (errno != EINTR) fail("poll", "the socket for the restore");
  if (fds[1].revents) exit(1);
  int restore = accept(listener, NULL, NULL);
  if (restore < 0) fail("accept", "the restore");
  close(listener);
  return restore;
}

static int receive_descriptor(int restore) {
  char data, control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec part = {.iov_base = &data, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  int fd;
  if (recvmsg(restore, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return -1;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

/* The pid of each process with its userfaultfd, negative and without one for a zombie; FINISHED at
 * the end. */
static void hear_restore(int restore) {
  int32_t pid;
  if (recv(restore, &pid, sizeof pid, MSG_WAITALL) != sizeof pid)
    fail_because("the restore has ended before it was finished");
  if (pid == FINISHED) is_finished = true;
  if (pid == FINISHED || pid < 0) return;
  int uffd = receive_descriptor(restore);
  if (uffd < 0) fail_because("the restore has sent no userfaultfd");
  add_task(find_memory((uint64_t)pid), uffd);
}

static void place_stored(struct task *task, uint64_t index, uint64_t count) {
  read_pages(task->memory, index, count, buffer);
  place_pages(task, index, buffer, count);
}

/*
 * A page comes with its neighbours, which the thread will probably touch next, except during the
 * restore: their mappings may not be registered yet. Returns false if the fault has to be tried
 * again.
 */
static bool serve_fault(struct task *task, uint64_t address) {
  const struct span *span = span_at(task, address);
  uint64_t index = span ? span->index + (address - span->address) / page_size : 0;
  enum page_state state = span ? task->states[index] & ~WANTED : PLACED;
  if (state == PLACED) return place_zeros(task, address);
  if (state == REMOTE && !can_request()) return false;
  task->states[index] |= WANTED;
  if (state == REQUESTED) return true;
  uint64_t first = is_finished ? index - index % MIN_CHUNK : index;
  while (run_of(task, first, index - first + 1, state) <= index - first) first++;
  uint64_t count = run_of(task, first, is_finished ? MIN_CHUNK : 1, state);
  if (state == REMOTE) {
    request_pages(task, first, count);
  } else {
    note_waited(task->memory, first, count);
    place_stored(task, first, count);
  }
  task->cursors[state] = (first + count) % task->memory->page_count;
  chunk = MIN_CHUNK;
  return true;
}

/* Returns false if some faults have to be tried again. */
static bool serve_faults(struct task *task) {
  size_t count = task->fault_count, left = 0;
  for (size_t i = 0; i < task->fault_count; i++) {
    uint64_t address = task->faults[i];
    if (i >= count || !serve_fault(task, address)) task->faults[left++] = address;
  }
  task->fault_count = left;
  return left == 0;
}

static void request_more(struct task *task) {
  while (can_request() && requested_pages() < CHUNKS_AHEAD * chunk) {
    uint64_t index = find_state(task, REMOTE), count = task->memory->page_count;
    if (index == count) return;
    uint64_t run = run_of(task, index, chunk, REMOTE);
    request_pages(task, index, run);
    task->cursors[REMOTE] = (index + run) % count;
    if (chunk < MAX_CHUNK) chunk++;
  }
}

/* Places the next of the pages that come first. Returns false if there are none. */
static bool place_first(struct task *task) {
  const struct memory *memory = task->memory;
  for (; task->first_range < memory->range_count; task->first_range++) {
    const struct page_range *range = &memory->ranges[task->first_range];
    uint64_t index = memory->first[task->first_range], end = index + range->count;
    if (!(range->flags & FIRST)) continue;
    while (index < end && (task->states[index] & ~WANTED) != STORED) index++;
    if (index == end) continue;
    place_stored(task, index, run_of(task, index, MAX_CHUNK, STORED));
    return true;
  }
  return false;
}

/* Reads the next stored pages. Returns false if there are none. */
static bool place_more(struct task *task) {
  uint64_t index = find_state(task, STORED), count = task->memory->page_count;
  if (index == count) return false;
  uint64_t run = run_of(task, index, MAX_CHUNK, STORED);
  place_stored(task, index, run);
  task->cursors[STORED] = (index + run) % count;
  return true;
}

static void remove_complete_tasks(void) {
  for (struct task *task = tasks, *next; task; task = next) {
    next = task->next;
    bool is_complete = is_finished && task->counts[PLACED] == task->memory->page_count;
    if (task->has_exited || (is_complete && task->fault_count == 0)) remove_task(task);
  }
}

static void await_events(int restore, int timeout) {
  static struct pollfd *fds;
  size_t count = 3;
  for (struct task *task = tasks; task; task = task->next) count++;
  fds = realloc(fds, count * sizeof *fds);
  if (!fds) fail("realloc", "the list of descriptors");
  fds[0] = (struct pollfd){.fd = is_finished ? -1 : restore, .events = POLLIN};
  fds[1] = (struct pollfd){.fd = requested_pages() > 0 ? SOURCE : -1, .events = POLLIN};
  fds[2] = (struct pollfd){.fd = has_begun ? -1 : TABLE, .events = POLLIN};
  count = 3;
  for (struct task *task = tasks; task; task = task->next)
    fds[count++] = (struct pollfd){.fd = task->uffd, .events = POLLIN};
  if (poll(fds, count, timeout) < 0 && errno != EINTR) fail("poll", "for page faults");
  if (fds[0].revents) hear_restore(restore);
  if (fds[1].revents && !receive_answer()) fail_because(CONNECTION_ENDED);
  if (fds[2].revents) has_begun = true;
}

static void serve(int restore) {
  while (!is_finished || tasks) {
    bool is_retrying = false, is_placing = false;
    for (struct task *task = tasks; task; task = task->next) {
      handle_events(task);
      if (!serve_faults(task)) is_retrying = true;
    }
    for (struct task *task = is_finished ? tasks : NULL; task; task = task->next) {
      if (!is_placing) is_placing = place_first(task);
      if (!has_begun) continue;
      request_more(task);
      if (!is_placing) is_placing = place_more(task);
    }
    remove_complete_tasks();
    if (is_finished && !tasks) break;
    await_events(restore, is_placing ? 0 : is_retrying ? CHANGING_MS : -1);
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  /* A failure is also survived when nobody reads STATUS any more. */
  signal(SIGPIPE, SIG_IGN);
  buffer = malloc(MAX_CHUNK * page_size);
  if (!buffer) fail("malloc", "a buffer");
  if (chdir(argv[4])) fail("chdir", argv[4]);
  read_table();
  int listener = listen_for_restore();
  /* Ready. */
  if (write(STATUS, "", 1) != 1) return 1;
  serve(accept_restore(listener));
  bool has_source = argc > 5;
  if (has_source) say_complete();
  say_waited();
  return 0;
}
