/* Compares the memory of a process with a copy of it, and writes what the copy has. */
#pragma once

#include "page-copy.h"

#include <sys/types.h>

/* Flags of CRIU's pagemap entries, and of the entries here. */
enum { IN_PARENT = 1, LAZY = 2, PRESENT = 4 };

/* Consecutive pages, by the number of the first. */
struct entry {
  uint64_t first, count;
  uint32_t flags;
};

struct entries {
  struct entry *items;
  size_t count, capacity;
};

struct job {
  struct page_copy *copy;
  struct entries entries;
  /* A comparison. */
  pid_t pid;
  bool all;           /* the pages that the kernel says are empty, too; a page that is gone is an error */
  bool is_background; /* the threads yield to everything else */
  struct entries found;
  uint64_t same_count, changed_count;
  /* A write or a load. */
  int fd;
  off_t offset;         /* of what is loaded, in bytes */
  uint64_t destination; /* for a page server; 0 for a file */
  /* Set if a call has failed. */
  int error;
  const char *failed_call;
};

/* Compares the pages of the process in these entries with what was read of them in the round before, and keeps
 * them. `found` has those that the process has: IN_PARENT if they are the same, else PRESENT, with LAZY if
 * the given entry has it. Without LAZY they are PRESENT in any case: CRIU cannot restore each kind of page from a
 * parent. The process may run meanwhile: a page that it writes at that moment may be
 * read half old, half new. What is kept is what was read, and it is compared again in the next round. */
void compare_pages(struct job *job);
/* Writes the pages of the entries that are PRESENT. For a page server, a message precedes each entry. */
void write_pages(struct job *job);
/* Keeps the pages of a file as if they were read in this round. At the offset the file has all pages of the
 * entries, in this order; those that are not PRESENT are skipped. */
void load_pages(struct job *job);
/* Notes the call that has failed, with errno; returns false. */
bool job_failed(struct job *job, const char *call);
