/* What is asked of the page server of a lazy dump, which answers in the same order. */
#include "lazy-pages.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
  MAX_REQUESTS = 1024,
  END = 0x1024,      /* PS_IOV_FORCE_CLOSE */
  PAGES_PRESENT = 4, /* PE_PRESENT */
  ANSWER_MS = 2000,  /* how long the answer to the end may take */
};

struct request {
  const struct memory *memory;
  uint64_t index, count;
};

/* The oldest comes first. */
static struct request requests[MAX_REQUESTS];
static size_t first_request, request_count;

/* The answer to the oldest, as far as it has arrived. */
static struct {
  struct page_message header;
  size_t size; /* of what has arrived, with the header */
  char *pages;
} answer;

/* How many pages have been requested, and not been answered. */
uint64_t requested_pages(void) {
  uint64_t pages = 0;
  for (size_t i = 0; i < request_count; i++)
    pages += requests[(first_request + i) % MAX_REQUESTS].count;
  return pages;
}

bool can_request(void) {
  return request_count < MAX_REQUESTS;
}

/* Sends a request for consecutive pages. Other processes that lack them get them too. */
void request_pages(struct task *task, uint64_t index, uint64_t count) {
  const struct memory *memory = task->memory;
  struct page_message message = {.command = GET_PAGES,
                                 .page_count = count,
                                 .address = image_address(memory, index),
                                 .destination = memory->pid};
  if (send(SOURCE, &message, sizeof message, MSG_NOSIGNAL) != sizeof message)
    fail_because(CONNECTION_ENDED);
  requests[(first_request + request_count++) % MAX_REQUESTS] =
      (struct request){memory, index, count};
  set_states(task, index, count, REQUESTED);
}

/* The source may answer with fewer pages. The others are requested again. */
static void request_again(struct task *task, uint64_t index, uint64_t count) {
  for (uint64_t end = index + count; index < end; index++) {
    if ((task->states[index] & ~WANTED) != REQUESTED) continue;
    set_states(task, index, 1, REMOTE);
    if (!(task->states[index] & WANTED)) continue;
    const struct span *span = span_of(task, index);
    add_fault(task, span->address + (index - span->index) * page_size);
    task->states[index] = REMOTE;
  }
}

static void take_answer(void) {
  struct request request = requests[first_request];
  uint64_t count = answer.header.page_count;
  first_request = (first_request + 1) % MAX_REQUESTS;
  request_count--;
  answer.size = 0;
  for (struct task *task = tasks; task; task = task->next) {
    if (task->memory != request.memory) continue;
    place_pages(task, request.index, answer.pages, count);
    request_again(task, request.index + count, request.count - count);
  }
}

static void check_header(void) {
  const struct page_message *header = &answer.header;
  const struct request *request = &requests[first_request];
  bool is_expected = request_count > 0 &&
                     header->command == (PAGES_PRESENT << FLAGS_SHIFT | ADD_PAGES) &&
                     header->destination == request->memory->pid && header->page_count > 0 &&
                     header->page_count <= request->count &&
                     header->address == image_address(request->memory, request->index);
  if (!is_expected) fail_because("the source has answered something else than it was asked");
}

/* Receives what has arrived, at most to the end of an answer. Returns false if no more can arrive.
 */
bool receive_answer(void) {
  const size_t header_size = sizeof answer.header;
  bool in_header = answer.size < header_size;
  size_t end = header_size + (in_header ? 0 : answer.header.page_count * page_size);
  if (!answer.pages) answer.pages = malloc(MAX_CHUNK * page_size);
  if (!answer.pages) fail("malloc", "pages of the source");
  char *place =
      in_header ? (char *)&answer.header + answer.size : answer.pages + answer.size - header_size;
  ssize_t got = recv(SOURCE, place, end - answer.size, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  answer.size += (size_t)got;
  if (answer.size < end) return true;
  if (in_header)
    check_header();
  else
    take_answer();
  return true;
}

static bool await_source(void) {
  struct pollfd source = {.fd = SOURCE, .events = POLLIN};
  return poll(&source, 1, ANSWER_MS) > 0;
}

/*
 * Ends the connection, after what processes that have ended had requested. The source answers, if
 * it still exists. All memory is in place also if it does not.
 */
void say_complete(void) {
  const struct page_message message = {.command = END};
  while (request_count > 0)
    if (!await_source() || !receive_answer()) return;
  if (send(SOURCE, &message, sizeof message, MSG_NOSIGNAL) == sizeof message) await_source();
}
