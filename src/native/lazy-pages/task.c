/* Which pages each process lacks, and where it has moved them. */
#include "lazy-pages.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct task *tasks;

static void *grow(void *items, size_t count, size_t size) {
  items = realloc(items, (count ? count : 1) * size);
  if (!items) fail("realloc", "the state of the memory");
  return items;
}

static struct task *new_task(const struct memory *memory, int uffd) {
  struct task *task = calloc(1, sizeof *task);
  if (!task) fail("calloc", "the state of the memory");
  task->memory = memory;
  task->uffd = uffd;
  task->states = grow(NULL, memory->page_count, 1);
  struct task **end = &tasks;
  while (*end) end = &(*end)->next;
  return *end = task;
}

void add_task(const struct memory *memory, int uffd) {
  struct task *task = new_task(memory, uffd);
  task->span_count = memory->range_count;
  task->spans = grow(NULL, task->span_count, sizeof *task->spans);
  for (size_t i = 0; i < memory->range_count; i++) {
    const struct page_range *range = &memory->ranges[i];
    enum page_state state = range->path == NO_FILE ? REMOTE : STORED;
    task->spans[i] = (struct span){range->address, memory->first[i], range->count};
    memset(task->states + memory->first[i], state, range->count);
    task->counts[state] += range->count;
  }
}

/* What has been requested for the parent serves the child as well. */
void fork_task(const struct task *parent, int uffd) {
  struct task *task = new_task(parent->memory, uffd);
  task->span_count = parent->span_count;
  task->spans = grow(NULL, task->span_count, sizeof *task->spans);
  memcpy(task->spans, parent->spans, task->span_count * sizeof *task->spans);
  for (uint64_t i = 0; i < parent->memory->page_count; i++)
    task->states[i] = parent->states[i] & ~WANTED;
  memcpy(task->counts, parent->counts, sizeof task->counts);
  memcpy(task->cursors, parent->cursors, sizeof task->cursors);
  for (size_t i = 0; i < task->memory->range_count; i++)
    if (task->memory->ranges[i].flags & WIPED)
      set_states(task, task->memory->first[i], task->memory->ranges[i].count, PLACED);
}

void remove_task(struct task *task) {
  struct task **link = &tasks;
  while (*link != task) link = &(*link)->next;
  *link = task->next;
  close(task->uffd);
  free(task->states);
  free(task->spans);
  free(task->faults);
  free(task->left);
  free(task);
}

/* A page keeps the flag WANTED until it is placed. */
void set_states(struct task *task, uint64_t index, uint64_t count, enum page_state state) {
  for (uint64_t end = index + count; index < end; index++) {
    uint8_t before = task->states[index];
    task->counts[before & ~WANTED]--;
    task->counts[state]++;
    task->states[index] = (uint8_t)(state == PLACED ? PLACED : state | (before & WANTED));
  }
}

/* How many pages from an index on are in a state, without a gap in the images. */
uint64_t run_of(const struct task *task, uint64_t index, uint64_t most, enum page_state state) {
  const struct memory *memory = task->memory;
  size_t range = range_of(memory, index);
  uint64_t left = memory->first[range] + memory->ranges[range].count - index, count = 0;
  if (most > left) most = left;
  while (count < most && (task->states[index + count] & ~WANTED) == state) count++;
  return count;
}

/* Finds a page for which no thread waits, from the cursor on. Returns the count of pages if there
 * is none. */
uint64_t find_state(struct task *task, enum page_state state) {
  uint64_t count = task->memory->page_count, cursor = task->cursors[state];
  if (task->counts[state] == 0) return count;
  const uint8_t *found = memchr(task->states + cursor, state, count - cursor);
  if (!found) found = memchr(task->states, state, cursor);
  return found ? (uint64_t)(found - task->states) : count;
}

/* The first span that ends after an address. */
static size_t span_after(const struct task *task, uint64_t address) {
  size_t low = 0, high = task->span_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct span *span = &task->spans[middle];
    if (span->address + span->count * page_size <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const struct span *span_at(const struct task *task, uint64_t address) {
  size_t number = span_after(task, address);
  return number < task->span_count && task->spans[number].address <= address ? &task->spans[number]
                                                                             : NULL;
}

/* Where the process has moved a page that it lacks: mostly nowhere. */
const struct span *span_of(const struct task *task, uint64_t index) {
  const struct span *span = span_at(task, image_address(task->memory, index));
  if (span && span->index <= index && index - span->index < span->count) return span;
  for (size_t i = 0; i < task->span_count; i++) {
    span = &task->spans[i];
    if (span->index <= index && index - span->index < span->count) return span;
  }
  fail_because("a missing page has no address");
}

void add_fault(struct task *task, uint64_t address) {
  task->faults = grow(task->faults, task->fault_count + 1, sizeof *task->faults);
  task->faults[task->fault_count++] = address;
}

/* Makes a span begin at an address, if one has it in its middle. Returns the first span from there
 * on. */
static size_t split_at(struct task *task, uint64_t address) {
  size_t number = span_after(task, address);
  if (number == task->span_count || task->spans[number].address >= address) return number;
  task->spans = grow(task->spans, task->span_count + 1, sizeof *task->spans);
  struct span *span = &task->spans[number];
  memmove(span + 1, span, (task->span_count++ - number) * sizeof *span);
  span[0].count = (address - span[0].address) / page_size;
  span[1] = (struct span){address, span[0].index + span[0].count, span[1].count - span[0].count};
  return number + 1;
}

static void remove_spans(struct task *task, size_t first, size_t end) {
  memmove(&task->spans[first], &task->spans[end], (task->span_count - end) * sizeof *task->spans);
  task->span_count -= end - first;
}

void drop_pages(struct task *task, uint64_t start, uint64_t end) {
  size_t first = split_at(task, start), last = split_at(task, end);
  for (size_t i = first; i < last; i++)
    set_states(task, task->spans[i].index, task->spans[i].count, PLACED);
  remove_spans(task, first, last);
}

/* True if an area that is reported as unmapped is what a process has moved memory from. Others may
 * be there by now. */
bool take_left(struct task *task, struct area area) {
  for (size_t i = 0; i < task->left_count; i++) {
    if (task->left[i].start != area.start || task->left[i].end != area.end) continue;
    task->left[i] = task->left[--task->left_count];
    return true;
  }
  return false;
}

void move_pages_to(struct task *task, uint64_t from, uint64_t to, uint64_t size) {
  drop_pages(task, to, to + size);
  task->left = grow(task->left, task->left_count + 1, sizeof *task->left);
  task->left[task->left_count++] = (struct area){from, from + size};
  size_t first = split_at(task, from), count = split_at(task, from + size) - first;
  struct span *moved = grow(NULL, count, sizeof *moved);
  memcpy(moved, &task->spans[first], count * sizeof *moved);
  remove_spans(task, first, first + count);
  for (size_t i = 0; i < count; i++) moved[i].address += to - from;
  size_t place = span_after(task, to);
  task->spans = grow(task->spans, task->span_count + count, sizeof *moved);
  memmove(&task->spans[place + count], &task->spans[place],
          (task->span_count - place) * sizeof *moved);
  memcpy(&task->spans[place], moved, count * sizeof *moved);
  task->span_count += count;
  free(moved);
}
