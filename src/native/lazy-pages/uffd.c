/* What the kernel reports of a process, and how pages are put into it. */
#include "lazy-pages.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

/* How long to wait for a process that is changing its mappings before another try. */
enum { CHANGING_MS = 1 };

static void wake(const struct task *task, uint64_t start, uint64_t size) {
  struct uffdio_range range = {.start = start, .len = size};
  ioctl(task->uffd, UFFDIO_WAKE, &range);
}

/* Threads that wait at addresses that are gone try again, and get what is there now. */
static void forget(struct task *task, uint64_t start, uint64_t end) {
  drop_pages(task, start, end);
  wake(task, start, end - start);
}

static void handle_event(struct task *task, const struct uffd_msg *event) {
  switch (event->event) {
  case UFFD_EVENT_PAGEFAULT:
    add_fault(task, event->arg.pagefault.address & ~((uint64_t)page_size - 1));
    break;
  case UFFD_EVENT_REMOVE:
    /* Unregistering the pages would spare their faults, but others may have been moved there by
     * now. */
    forget(task, event->arg.remove.start, event->arg.remove.end);
    break;
  case UFFD_EVENT_UNMAP:
    if (!take_left(task, (struct area){event->arg.remove.start, event->arg.remove.end}))
      forget(task, event->arg.remove.start, event->arg.remove.end);
    break;
  case UFFD_EVENT_REMAP:
    if (event->arg.remap.from == event->arg.remap.to) break;
    move_pages_to(task, event->arg.remap.from, event->arg.remap.to, event->arg.remap.len);
    wake(task, event->arg.remap.from, event->arg.remap.len);
    break;
  case UFFD_EVENT_FORK:
    fork_task(task, (int)event->arg.fork.ufd);
    break;
  default:
    fail_because("the kernel has reported an unknown event of a userfaultfd");
  }
}

void handle_events(struct task *task) {
  struct uffd_msg events[16];
  for (;;) {
    ssize_t size = read(task->uffd, events, sizeof events);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) fail("read", "a userfaultfd");
    for (size_t i = 0; i < (size_t)size / sizeof *events; i++) handle_event(task, &events[i]);
  }
}

/* Copies pages to an address. Returns how many need no more; 0 while the process is changing its
 * mappings. */
static uint64_t copy_pages(struct task *task, uint64_t address, const char *pages, uint64_t count) {
  for (bool is_again = false;;) {
    struct uffdio_copy copy = {.dst = address, .src = (uintptr_t)pages, .len = count * page_size};
    if (ioctl(task->uffd, UFFDIO_COPY, &copy) == 0) return count;
    if (copy.copy > 0) return (uint64_t)copy.copy / page_size;
    switch (errno) {
    case EAGAIN:
      return 0;
    case EEXIST:
      wake(task, address, page_size);
      return 1;
    case ENOENT:
      /* The pages are in several mappings, or are being moved, which the next try finds, or are
       * gone: a child does not inherit some mappings. */
      if (is_again) return 1;
      is_again = count == 1;
      if (count > 1) count /= 2;
      break;
    case ESRCH:
    case ENOSPC: /* what ESRCH was before Linux 4.14 */
      task->has_exited = true;
      return count;
    default:
      fail("UFFDIO_COPY", "a page");
    }
  }
}

/* Gives a process those of some pages that it still lacks, wherever it has moved them meanwhile. */
void place_pages(struct task *task, uint64_t index, const char *pages, uint64_t count) {
  for (uint64_t end = index + count; index < end && !task->has_exited;) {
    uint64_t run = 1;
    if (task->states[index] != PLACED) {
      const struct span *span = span_of(task, index);
      uint64_t skipped = index - span->index;
      while (index + run < end && skipped + run < span->count &&
             task->states[index + run] != PLACED)
        run++;
      run = copy_pages(task, span->address + skipped * page_size, pages, run);
      if (run == 0) {
        struct pollfd changes = {.fd = task->uffd, .events = POLLIN};
        poll(&changes, 1, CHANGING_MS);
        handle_events(task);
        continue;
      }
      set_states(task, index, run, PLACED);
    }
    index += run;
    pages += run * page_size;
  }
}

/* Gives a process an empty page. Returns false while the process is changing its mappings. */
bool place_zeros(struct task *task, uint64_t address) {
  struct uffdio_zeropage zeros = {.range = {.start = address, .len = page_size}};
  if (ioctl(task->uffd, UFFDIO_ZEROPAGE, &zeros) == 0) return true;
  if (errno == EAGAIN) return false;
  if (errno == ESRCH || errno == ENOSPC)
    task->has_exited = true;
  else
    wake(task, address, page_size);
  return true;
}
