#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK_PAGES = 64 }; /* are read at once */

static bool read_all(struct job *job, uint8_t *buffer, size_t size, off_t at) {
  while (size > 0) {
    ssize_t read = pread(job->fd, buffer, size, at);
    if (read < 0 && errno == EINTR) continue;
    if (read == 0) errno = ENODATA;
    if (read <= 0) return job_failed(job, "pread");
    buffer += read;
    size -= (size_t)read;
    at += read;
  }
  return true;
}

static bool load_entry(struct job *job, struct page_reader *reader, const struct entry *entry, off_t at,
                       uint8_t *buffer) {
  size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  for (uint64_t done = 0; done < entry->count;) {
    size_t count = entry->count - done < BLOCK_PAGES ? entry->count - done : BLOCK_PAGES;
    if (!read_all(job, buffer, count * page_size, at + (off_t)(done * page_size))) return false;
    for (size_t i = 0; i < count; i++) {
      uint32_t slot = page_copy_slot(job->copy, entry->first + done + i);
      if (slot == UINT32_MAX) return job_failed(job, "realloc");
      if (!page_copy_load(job->copy, reader, slot, buffer + i * page_size)) return job_failed(job, "mmap");
    }
    done += count;
  }
  return true;
}

void load_pages(struct job *job) {
  size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  struct page_reader reader;
  uint8_t *buffer = malloc(BLOCK_PAGES * page_size);
  if (!buffer || !page_copy_begin(job->copy, &reader)) {
    job_failed(job, "malloc");
    free(buffer);
    return;
  }
  off_t at = job->offset;
  for (size_t i = 0; i < job->entries.count; i++) {
    const struct entry *entry = &job->entries.items[i];
    if (entry->flags & PRESENT && !load_entry(job, &reader, entry, at, buffer)) break;
    at += (off_t)(entry->count * page_size);
  }
  page_copy_end(&reader);
  free(buffer);
}
