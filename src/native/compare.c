#include "compare.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  BATCH_PAGES = 65536, /* are looked up by one thread, and then compared by all */
  BLOCK_PAGES = 64,    /* are read at once: they fit into a cache */
  PORTION_PAGES = 512, /* of /proc/PID/pagemap are read at once */
  MAX_THREADS = 16,
};

/* Flags of /proc/PID/pagemap. */
#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_SWAPPED ((uint64_t)1 << 62)

/* A page that is to be compared. */
struct page {
  uint64_t number;
  uint32_t slot;
  uint32_t flags;
  enum page_state state;
};

bool job_failed(struct job *job, const char *call) {
  job->error = errno;
  job->failed_call = call;
  return false;
}

static bool append(struct entries *entries, uint64_t page, uint32_t flags) {
  if (entries->count > 0) {
    struct entry *last = &entries->items[entries->count - 1];
    if (last->first + last->count == page && last->flags == flags) {
      last->count++;
      return true;
    }
  }
  if (entries->count == entries->capacity) {
    size_t capacity = 2 * entries->capacity + 64;
    struct entry *items = realloc(entries->items, capacity * sizeof *items);
    if (!items) return false;
    entries->items = items;
    entries->capacity = capacity;
  }
  entries->items[entries->count++] = (struct entry){page, 1, flags};
  return true;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The part of a batch that one thread compares. */
struct part {
  const struct job *job;
  int memory; /* /proc/PID/mem */
  size_t page_size;
  struct page *pages;
  size_t count;
  bool is_background;
  struct page_reader reader;
  int error;
};

/* Reads pages up to the first that cannot be read; returns how many, or -1 with errno. */
static ssize_t read_pages(const struct part *part, const struct page *pages, size_t count, uint8_t *buffer) {
  size_t size = part->page_size, segments = 0;
  struct iovec remote[BLOCK_PAGES], local = {buffer, count * size};
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && pages[i].number == pages[i - 1].number + 1)
      remote[segments - 1].iov_len += size;
    else
      remote[segments++] = (struct iovec){(void *)(uintptr_t)(pages[i].number * size), size};
  }
  ssize_t read = process_vm_readv(part->job->pid, &local, 1, remote, segments, 0);
  if (read < 0) return errno == EFAULT ? 0 : -1;
  return read / (ssize_t)size;
}

/* Reads a page that the process itself may not read (PROT_NONE). */
static bool read_protected(const struct part *part, const struct page *page, uint8_t *buffer) {
  ssize_t read = pread(part->memory, buffer, part->page_size, (off_t)(page->number * part->page_size));
  return read == (ssize_t)part->page_size;
}

static bool keep(struct part *part, struct page *page, const uint8_t *data) {
  page->state = page_copy_update(part->job->copy, &part->reader, page->slot, data);
  return page->state != PAGE_FAILED;
}

static bool compare_block(struct part *part, struct page *pages, size_t count, uint8_t *buffer) {
  for (size_t at = 0; at < count;) {
    ssize_t read = read_pages(part, pages + at, count - at, buffer);
    if (read < 0) return false;
    for (ssize_t i = 0; i < read; i++)
      if (!keep(part, &pages[at++], buffer + i * (ssize_t)part->page_size)) return false;
    if (at == count) break;
    struct page *page = &pages[at++];
    if (read_protected(part, page, buffer)) {
      if (!keep(part, page, buffer)) return false;
    } else if (part->job->all) {
      return false;
    }
  }
  return true;
}

static void *compare_part(void *data) {
  struct part *part = data;
  uint8_t *buffer = malloc(BLOCK_PAGES * part->page_size);
  if (!buffer || !page_copy_begin(part->job->copy, &part->reader)) {
    free(buffer);
    part->error = ENOMEM;
    return NULL;
  }
  /* It is only a request: without the right to it the thread has the usual priority. */
  if (part->is_background) (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
  for (size_t at = 0; at < part->count && !part->error; at += BLOCK_PAGES) {
    size_t count = part->count - at < BLOCK_PAGES ? part->count - at : BLOCK_PAGES;
    if (!compare_block(part, part->pages + at, count, buffer)) part->error = errno ? errno : EIO;
  }
  page_copy_end(&part->reader);
  free(buffer);
  return NULL;
}

/* --- Comparing -------------------------------------------------------------------------------- */

struct comparison {
  struct job *job;
  int pagemap; /* /proc/PID/pagemap */
  int memory;
  size_t page_size;
  struct page *pages;
  size_t count;
};

static size_t processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0) return 1;
  int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : (size_t)count;
}

static size_t divide(const struct comparison *comparison, struct part *parts) {
  size_t wanted = processors(), each = (comparison->count + wanted - 1) / wanted, used = 0;
  for (size_t first = 0; first < comparison->count; first += each) {
    parts[used++] = (struct part){
        .job = comparison->job,
        .memory = comparison->memory,
        .page_size = comparison->page_size,
        .pages = comparison->pages + first,
        .count = comparison->count - first < each ? comparison->count - first : each,
        .is_background = comparison->job->is_background,
    };
  }
  return used;
}

/* Compares the pages of the batch, and empties it. */
static bool compare_batch(struct comparison *comparison) {
  struct job *job = comparison->job;
  struct part parts[MAX_THREADS];
  pthread_t threads[MAX_THREADS];
  size_t used = divide(comparison, parts), started = 0;
  /* This thread does the last part, whose priority must not change, and those for which there is no other. */
  size_t most = job->is_background ? used : used - (used > 0);
  while (started < most && pthread_create(&threads[started], NULL, compare_part, &parts[started]) == 0)
    started++;
  for (size_t i = started; i < used; i++) {
    parts[i].is_background = false;
    compare_part(&parts[i]);
  }
  for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);

  for (size_t i = 0; i < used; i++) {
    if (!parts[i].error) continue;
    errno = parts[i].error;
    return job_failed(job, "process_vm_readv");
  }
  for (size_t i = 0; i < comparison->count; i++) {
    const struct page *page = &comparison->pages[i];
    if (page->state == PAGE_GONE) continue;
    *(page->state == PAGE_SAME ? &job->same_count : &job->changed_count) += 1;
    uint32_t flags = page->state == PAGE_SAME ? IN_PARENT : PRESENT | (page->flags & LAZY);
    if (!append(&job->found, page->number, flags)) return job_failed(job, "realloc");
  }
  comparison->count = 0;
  return true;
}

/* Reads the flags of pages. Beyond the end of the address space there are none. */
static bool read_pagemap(struct comparison *comparison, uint64_t first, uint64_t *flags, size_t count) {
  size_t size = count * sizeof *flags;
  ssize_t read = pread(comparison->pagemap, flags, size, (off_t)(first * sizeof *flags));
  if (read < 0) return job_failed(comparison->job, "pread");
  memset((uint8_t *)flags + read, 0, size - (size_t)read);
  return true;
}

static bool compare_portion(struct comparison *comparison, const struct entry *entry) {
  struct job *job = comparison->job;
  uint64_t flags[PORTION_PAGES];
  if (!job->all && !read_pagemap(comparison, entry->first, flags, entry->count)) return false;
  for (size_t i = 0; i < entry->count; i++) {
    if (!job->all && !(flags[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED))) continue;
    uint64_t number = entry->first + i;
    uint32_t slot = page_copy_slot(job->copy, number);
    if (slot == UINT32_MAX) return job_failed(job, "mmap");
    if (!(entry->flags & LAZY)) page_copy_forget(job->copy, slot);
    comparison->pages[comparison->count++] = (struct page){number, slot, entry->flags, PAGE_GONE};
    if (comparison->count == BATCH_PAGES && !compare_batch(comparison)) return false;
  }
  return true;
}

static bool compare_entries(struct comparison *comparison) {
  const struct entries *entries = &comparison->job->entries;
  for (size_t i = 0; i < entries->count; i++) {
    for (struct entry rest = entries->items[i]; rest.count > 0;) {
      struct entry portion = rest;
      if (portion.count > PORTION_PAGES) portion.count = PORTION_PAGES;
      if (!compare_portion(comparison, &portion)) return false;
      rest.first += portion.count;
      rest.count -= portion.count;
    }
  }
  return compare_batch(comparison);
}

static int open_proc(struct job *job, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)job->pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) job_failed(job, "open");
  return fd;
}

void compare_pages(struct job *job) {
  struct comparison comparison = {.job = job, .pagemap = -1, .memory = -1};
  comparison.page_size = (size_t)sysconf(_SC_PAGESIZE);
  comparison.pages = malloc(BATCH_PAGES * sizeof *comparison.pages);
  if (!comparison.pages)
    job_failed(job, "malloc");
  else if ((comparison.pagemap = open_proc(job, "pagemap")) >= 0 &&
           (comparison.memory = open_proc(job, "mem")) >= 0)
    compare_entries(&comparison);
  if (comparison.pagemap >= 0) close(comparison.pagemap);
  if (comparison.memory >= 0) close(comparison.memory);
  free(comparison.pages);
}
