/*
 * The lazy-pages daemon: gives restored processes their memory when they touch it, and in the
 * background.
 *
 * usage: lazy-pages --images-dir DIRECTORY --work-dir DIRECTORY [--source]
 *
 * It stands in for `criu lazy-pages`: a restore finds it at lazy-pages.socket in the work
 * directory, and sends it the userfaultfd of each process. Where the memory of each process is it
 * reads from descriptor TABLE; the images directory only identifies the daemon in a list of
 * processes. With --source, the page server of a lazy dump is at the other end of descriptor
 * SOURCE. The end of TABLE allows memory that no process waits for: earlier it would only delay the
 * restore. When all memory is in place, the daemon sends there which stored pages threads have waited for,
 * in the form of struct waited, and exits with 0. If that becomes impossible, it
 * writes the reason to descriptor STATUS and waits to be killed: without it, the processes would
 * read zeros.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../page-message.h"

/* The descriptors that the daemon inherits. */
enum { STATUS = 3, TABLE = 4, SOURCE = 5 };

/* The most pages that are read or requested at once. */
enum { MAX_CHUNK = 64 };

/* Where a page that a process lacks comes from. */
enum page_state {
  PLACED,    /* the process has it, or has given it up */
  STORED,    /* from a file */
  REMOTE,    /* from the source */
  REQUESTED, /* from the source, which has been asked for it */
  STATES,
  WANTED = 0x80, /* a thread waits for it; a flag */
};

/* Consecutive pages, as the table has them. */
struct page_range {
  uint64_t pid, address, count;
  uint64_t path; /* where the path of their file begins among the paths, or NO_FILE: the source has
                    them */
  uint64_t offset; /* where they begin in the file, in bytes */
  uint64_t flags;
};

/* Flags of a range. */
enum {
  WIPED = 1, /* children that are forked get zeros instead: MADV_WIPEONFORK */
  FIRST = 2, /* others have waited for these pages: they are placed before the rest */
};

#define NO_FILE UINT64_MAX

/* The memory of one process in the images. Its pages have indexes, in the order of their addresses.
 */
struct memory {
  uint64_t pid, page_count;
  const struct page_range *ranges;
  size_t range_count;
  uint64_t *first; /* the indexes of the first pages of the ranges */
};

/* Pages in the order of their indexes, at the address to which their process has moved them. */
struct span {
  uint64_t address, index, count;
};

/* Addresses from the first to before the last. */
struct area {
  uint64_t start, end;
};

/* A restored process, or one that it has forked since. */
struct task {
  struct task *next;
  const struct memory *memory;
  int uffd;
  bool has_exited;
  uint8_t *states;          /* by index */
  uint64_t counts[STATES];  /* of the pages in each state */
  uint64_t cursors[STATES]; /* where the search for the next page in a state begins */
  size_t first_range;       /* where the search for pages that are placed first continues */
  struct span *spans;       /* in ascending order of addresses */
  size_t span_count;
  uint64_t *faults; /* the addresses for which threads wait, the oldest first */
  size_t fault_count;
  struct area *left; /* where the process has moved memory from, and the kernel will report that as
                        unmapped */
  size_t left_count;
};

extern size_t page_size;
extern struct task *tasks;

/* main.c: reports a failure with what errno says, and waits to be killed. */
_Noreturn void fail(const char *call, const char *about);
_Noreturn void fail_because(const char *reason);

/* table.c */
void read_table(void);
const struct memory *find_memory(uint64_t pid);
size_t range_of(const struct memory *memory, uint64_t index);
uint64_t image_address(const struct memory *memory, uint64_t index);
void read_pages(const struct memory *memory, uint64_t index, uint64_t count, char *buffer);

/* waited.c */
void note_waited(const struct memory *memory, uint64_t index, uint64_t count);
void say_waited(void);

/* task.c */
void add_task(const struct memory *memory, int uffd);
void remove_task(struct task *task);
void set_states(struct task *task, uint64_t index, uint64_t count, enum page_state state);
uint64_t run_of(const struct task *task, uint64_t index, uint64_t most, enum page_state state);
uint64_t find_state(struct task *task, enum page_state state);
const struct span *span_at(const struct task *task, uint64_t address);
const struct span *span_of(const struct task *task, uint64_t index);
void add_fault(struct task *task, uint64_t address);
void drop_pages(struct task *task, uint64_t start, uint64_t end);
bool take_left(struct task *task, struct area area);
void move_pages_to(struct task *task, uint64_t from, uint64_t to, uint64_t size);
void fork_task(const struct task *parent, int uffd);

/* uffd.c */
void handle_events(struct task *task);
void place_pages(struct task *task, uint64_t index, const char *pages, uint64_t count);
bool place_zeros(struct task *task, uint64_t address);

/* source.c */
#define CONNECTION_ENDED "the connection to the source has ended"
bool can_request(void);
uint64_t requested_pages(void);
void request_pages(struct task *task, uint64_t index, uint64_t count);
bool receive_answer(void);
void say_complete(void);
