/* Where the memory of each process is. */
#include "lazy-pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct memory *memories;
static size_t memory_count;
static const char *paths;

static void read_exactly(void *data, size_t size) {
  while (size > 0) {
    ssize_t got = read(TABLE, data, size);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ENODATA;
    if (got <= 0) fail("read", "the table of the memory");
    data = (char *)data + got;
    size -= (size_t)got;
  }
}

static void *allocate(size_t count, size_t size) {
  void *items = calloc(count + 1, size);
  if (!items) fail("calloc", "the table of the memory");
  return items;
}

static void add_memory(const struct page_range *ranges, size_t count) {
  struct memory *memory = &memories[memory_count++];
  *memory = (struct memory){.pid = ranges->pid, .ranges = ranges, .range_count = count};
  memory->first = allocate(count, sizeof *memory->first);
  for (size_t i = 0; i < count; i++) {
    memory->first[i] = memory->page_count;
    memory->page_count += ranges[i].count;
  }
}

/* The table: how many ranges and bytes of paths, the ranges in ascending order of pids and
 * addresses, the paths. */
void read_table(void) {
  struct {
    uint64_t ranges, path_bytes;
  } sizes;
  read_exactly(&sizes, sizeof sizes);
  struct page_range *ranges = allocate(sizes.ranges, sizeof *ranges);
  char *names = allocate(sizes.path_bytes, 1);
  read_exactly(ranges, sizes.ranges * sizeof *ranges);
  read_exactly(names, sizes.path_bytes);
  paths = names;
  memories = allocate(sizes.ranges, sizeof *memories);
  for (size_t start = 0, end; start < sizes.ranges; start = end) {
    for (end = start + 1; end < sizes.ranges && ranges[end].pid == ranges[start].pid;) end++;
    add_memory(&ranges[start], end - start);
  }
}

/* Returns a memory without pages for a process of which all memory is restored. */
const struct memory *find_memory(uint64_t pid) {
  static const struct memory none;
  for (size_t i = 0; i < memory_count; i++)
    if (memories[i].pid == pid) return &memories[i];
  return &none;
}

size_t range_of(const struct memory *memory, uint64_t index) {
  size_t low = 0, high = memory->range_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (memory->first[middle] <= index)
      low = middle;
    else
      high = middle;
  }
  return low;
}

uint64_t image_address(const struct memory *memory, uint64_t index) {
  size_t range = range_of(memory, index);
  return memory->ranges[range].address + (index - memory->first[range]) * page_size;
}

/* Reads pages of one range. */
void read_pages(const struct memory *memory, uint64_t index, uint64_t count, char *buffer) {
  static uint64_t opened = NO_FILE;
  static int file = -1;
  size_t number = range_of(memory, index);
  const struct page_range *range = &memory->ranges[number];
  const char *path = paths + range->path;
  if (range->path != opened) {
    if (file >= 0) close(file);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail("open", path);
    opened = range->path;
  }
  off_t offset = (off_t)(range->offset + (index - memory->first[number]) * page_size);
  for (size_t size = count * page_size; size > 0;) {
    ssize_t got = pread(file, buffer, size, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ENODATA;
    if (got <= 0) fail("read", path);
    buffer += got;
    offset += got;
    size -= (size_t)got;
  }
}
