#include "compare.h"
#include "page-message.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_PARTS = 64 };

static bool write_all(struct job *job, struct iovec *parts, int count) {
  while (count > 0) {
    ssize_t size = writev(job->fd, parts, count);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      struct pollfd writable = {.fd = job->fd, .events = POLLOUT};
      if (poll(&writable, 1, -1) < 0 && errno != EINTR) return job_failed(job, "poll");
      continue;
    }
    if (size < 0) return job_failed(job, "writev");
    for (; count > 0 && (size_t)size >= parts->iov_len; parts++, count--) size -= (ssize_t)parts->iov_len;
    if (count == 0) break;
    parts->iov_base = (uint8_t *)parts->iov_base + size;
    parts->iov_len -= (size_t)size;
  }
  return true;
}

static bool write_message(struct job *job, const struct entry *entry, size_t page_size) {
  struct page_message message = {
      .command = entry->flags << FLAGS_SHIFT | ADD_PAGES,
      .page_count = entry->count,
      .address = entry->first * page_size,
      .destination = job->destination,
  };
  struct iovec part = {&message, sizeof message};
  return write_all(job, &part, 1);
}

void write_pages(struct job *job) {
  size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  struct iovec parts[MAX_PARTS];
  int count = 0;
  for (size_t i = 0; i < job->entries.count; i++) {
    const struct entry *entry = &job->entries.items[i];
    if (job->destination) {
      if (!write_all(job, parts, count) || !write_message(job, entry, page_size)) return;
      count = 0;
    }
    if (!(entry->flags & PRESENT)) continue;
    for (uint64_t j = 0; j < entry->count; j++) {
      const uint8_t *data = page_copy_data(job->copy, entry->first + j);
      if (!data) {
        errno = ENODATA;
        job_failed(job, "writev");
        return;
      }
      parts[count++] = (struct iovec){(void *)data, page_size};
      if (count < MAX_PARTS) continue;
      if (!write_all(job, parts, count)) return;
      count = 0;
    }
  }
  write_all(job, parts, count);
}
