/* See page-follower.h. CRIU writes the files one after the other, each from its beginning to its end: a file is
 * complete when the next one exists, or when the caller says that the dump is. */
#define _GNU_SOURCE
#include "page-follower.h"
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long to wait for more, in milliseconds: at first, and if nothing comes for longer. */
enum { SHORTEST_WAIT = 1, LONGEST_WAIT = 16 };

/* SCHED_OTHER and SCHED_IDLE, for which some C libraries have no function. */
enum { POLICY_NORMAL = 0, POLICY_IDLE = 5 };

struct page_follower {
  struct hash_method method;
  struct file_hasher hasher;
  int directory, wake;
  atomic_bool must_end;
  _Atomic pid_t lowered; /* the thread, once it has another priority */
  /* The file that is read; -1 before the first, and between two. */
  int file;
  unsigned number;
  uint64_t bytes;
  struct followed_file *done;
  size_t count, room;
  pthread_t thread;
  bool has_thread, is_done;
  struct page_follower *next; /* in the list of those that have a thread */
};

/* --- The thread ------------------------------------------------------------------------------- */

static int open_file(const struct page_follower *follower, unsigned number) {
  char name[32];
  snprintf(name, sizeof name, "pages-%u.img", number);
  return openat(follower->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool exists(const struct page_follower *follower, unsigned number) {
  char name[32];
  snprintf(name, sizeof name, "pages-%u.img", number);
  return faccessat(follower->directory, name, F_OK, 0) == 0;
}

/* The lowest number of a file of pages; 0 if there is none yet. */
static unsigned first_number(const struct page_follower *follower) {
  unsigned first = 0, number;
  int end;
  int fd = openat(follower->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *entries = fd < 0 ? NULL : fdopendir(fd);
  if (!entries) {
    if (fd >= 0) close(fd);
    return 0;
  }
  for (struct dirent *entry; (entry = readdir(entries));) {
    end = 0;
    if (sscanf(entry->d_name, "pages-%u.img%n", &number, &end) == 1 && end > 0 && !entry->d_name[end] &&
        (first == 0 || number < first))
      first = number;
  }
  closedir(entries);
  return first;
}

static bool open_next(struct page_follower *follower) {
  unsigned number = follower->number == 0 ? first_number(follower) : follower->number + 1;
  int fd = number == 0 ? -1 : open_file(follower, number);
  if (fd < 0) return false;
  if (!file_hash_begin(&follower->hasher)) {
    close(fd);
    return false;
  }
  follower->file = fd;
  follower->number = number;
  follower->bytes = 0;
  return true;
}

/* A file of which nothing is noted is hashed by whoever asks for the others. */
static void close_file(struct page_follower *follower) {
  struct followed_file file = {.number = follower->number, .bytes = follower->bytes};
  struct stat status;
  /* glibc has the function since 2.33. */
  bool is_known = syscall(SYS_fstat, follower->file, &status) == 0 && file_hash_end(&follower->hasher, file.hash);
  close(follower->file);
  follower->file = -1;
  if (!is_known) return;
  file.inode = status.st_ino;
  if (follower->count == follower->room) {
    size_t room = 2 * follower->room + 4;
    struct followed_file *more = realloc(follower->done, room * sizeof *more);
    if (!more) return;
    follower->done = more;
    follower->room = room;
  }
  follower->done[follower->count++] = file;
}

static bool read_on(struct page_follower *follower, int *size) {
  *size = file_hash_read(&follower->hasher, follower->file);
  if (*size < 0) return false;
  follower->bytes += (uint64_t)*size;
  return true;
}

/* Reads to the end of a file that is complete, and notes it. */
static bool read_rest(struct page_follower *follower) {
  int size;
  while (read_on(follower, &size) && size > 0) continue;
  if (size == 0) close_file(follower);
  return size == 0;
}

/* Reads a piece, or waits for one. Returns false once nothing is left to do. */
static bool step(struct page_follower *follower, bool is_dumped, int *wait) {
  int size = 0;
  if (follower->file < 0 ? open_next(follower) : (read_on(follower, &size) && size > 0)) {
    *wait = SHORTEST_WAIT;
    return true;
  }
  if (size < 0) return false;
  bool is_complete = follower->file >= 0 && (is_dumped || exists(follower, follower->number + 1));
  if (is_complete) return read_rest(follower);
  if (is_dumped) return false;
  struct pollfd wake = {follower->wake, POLLIN, 0};
  (void)poll(&wake, 1, *wait);
  if (*wait < LONGEST_WAIT) *wait *= 2;
  return true;
}

/* --- Its end ---------------------------------------------------------------------------------- */

/* The followers that have a thread, of all environments. */
static struct page_follower *threads;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_ended = PTHREAD_COND_INITIALIZER;

static bool set_policy(pid_t thread, int policy) {
  return syscall(SYS_sched_setscheduler, thread, policy, &(int){0}) == 0;
}

/* The dump goes first: as long as it lasts, the processes are frozen. */
static void lower_priority(struct page_follower *follower) {
  pid_t id = (pid_t)syscall(SYS_gettid);
  if (set_policy(id, POLICY_IDLE)) follower->lowered = id;
}

/* So that whoever waits for the thread does not wait for all others. Only a privileged user may do that. The caller
 * holds the mutex, without which the thread does not end. */
static void restore_priority(struct page_follower *follower) {
  if (follower->lowered && !follower->is_done) (void)set_policy(follower->lowered, POLICY_NORMAL);
}

static void *run(void *data) {
  struct page_follower *follower = data;
  int wait = SHORTEST_WAIT;
  lower_priority(follower);
  while (!follower->must_end && step(follower, false, &wait)) continue;
  pthread_mutex_lock(&mutex);
  follower->is_done = true;
  pthread_cond_broadcast(&has_ended);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

/* The caller holds the mutex. */
static void end_thread(struct page_follower *follower) {
  if (!follower->has_thread) return;
  follower->must_end = true;
  restore_priority(follower);
  (void)!write(follower->wake, &(uint64_t){1}, sizeof(uint64_t));
  while (!follower->is_done) pthread_cond_wait(&has_ended, &mutex);
  /* Another thread may have waited as well. */
  if (!follower->has_thread) return;
  pthread_join(follower->thread, NULL);
  follower->has_thread = false;
  struct page_follower **link = &threads;
  while (*link != follower) link = &(*link)->next;
  *link = follower->next;
}

/* process.exit() runs the exit handlers of OpenSSL, which no thread must use any more by then: see pump-owner.c. */
static void end_all(void) {
  pthread_mutex_lock(&mutex);
  while (threads) end_thread(threads);
  pthread_mutex_unlock(&mutex);
}

void page_follower_finish(struct page_follower *follower) {
  pthread_mutex_lock(&mutex);
  end_thread(follower);
  pthread_mutex_unlock(&mutex);
  int wait = 0;
  while (step(follower, true, &wait)) continue;
}

const struct followed_file *page_follower_files(const struct page_follower *follower, size_t *count) {
  *count = follower->count;
  return follower->done;
}

void page_follower_free(struct page_follower *follower) {
  pthread_mutex_lock(&mutex);
  end_thread(follower);
  pthread_mutex_unlock(&mutex);
  if (follower->file >= 0) close(follower->file);
  if (follower->wake >= 0) close(follower->wake);
  close(follower->directory);
  file_hasher_close(&follower->hasher);
  free(follower->done);
  free(follower);
}

/* --- Its start -------------------------------------------------------------------------------- */

static int start_thread(struct page_follower *follower) {
  static bool is_registered;
  pthread_mutex_lock(&mutex);
  int error = is_registered || atexit(end_all) == 0 ? 0 : ENOMEM;
  is_registered = is_registered || !error;
  if (!error) error = create_thread(&follower->thread, NULL, run, follower);
  if (!error) {
    follower->has_thread = true;
    follower->next = threads;
    threads = follower;
  }
  pthread_mutex_unlock(&mutex);
  return error;
}

struct page_follower *page_follower_start(int directory, const struct hash_method *method) {
  struct page_follower *follower = calloc(1, sizeof *follower);
  if (!follower) {
    close(directory);
    errno = ENOMEM;
    return NULL;
  }
  follower->directory = directory;
  follower->method = *method;
  follower->file = -1;
  follower->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int error = follower->wake < 0 ? errno : 0;
  if (!error && !file_hasher_open(&follower->hasher, &follower->method)) error = ENOMEM;
  if (!error) error = start_thread(follower);
  if (!error) return follower;
  page_follower_free(follower);
  errno = error;
  return NULL;
}
