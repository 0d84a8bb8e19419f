/* The thread of a pump. It waits only in poll(2), where an eventfd can wake it. */
#define _GNU_SOURCE
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The records that are encrypted and written together. */
#define BATCH 16
#define STRIDE (RECORD_HEADER + MAX_CONTENT + RECORD_TRAILER)
#define OUT_CAPACITY (BATCH * STRIDE)
#define IN_CAPACITY (1 << 19)
/* How long the local program may take to read the rest after the end, in milliseconds. */
#define DRAIN_MS 1000

bool allocate_buffers(struct pump *pump, const void *unread, size_t size) {
  pump->in_capacity = IN_CAPACITY + size;
  pump->outgoing = malloc(OUT_CAPACITY);
  pump->incoming = malloc(pump->in_capacity);
  if (!pump->outgoing || !pump->incoming) return false;
  if (size > 0) memcpy(pump->incoming, unread, size);
  pump->in_end = size;
  return true;
}

bool add_early(struct pump *pump, const void *data, size_t size) {
  if (size == 0) return true;
  pump->early = malloc(size);
  if (!pump->early) return false;
  memcpy(pump->early, data, size);
  pump->segments[0] = (struct iovec){.iov_base = pump->early, .iov_len = size};
  pump->segment_count = 1;
  pump->received = (int64_t)size;
  return true;
}

void free_buffers(struct pump *pump) {
  free(pump->outgoing);
  free(pump->incoming);
  free(pump->early);
  pump->outgoing = pump->incoming = pump->early = NULL;
}

void wake_pump(struct pump *pump) {
  ssize_t written = write(pump->wake, &(uint64_t){1}, sizeof(uint64_t));
  (void)written; /* fails only if it was woken very often already */
}

/* --- What both directions share --------------------------------------------------------------- */

void end_pump(struct pump *pump, int error, const char *failure) {
  if (pump->has_ended) return;
  pump->error = error;
  pump->failure = failure;
  pump->has_ended = true;
}

bool wait_or_end(struct pump *pump, short *events, short event, const char *call) {
  if (errno == EAGAIN) *events |= event;
  else if (errno != EINTR) end_pump(pump, errno, call);
  return false;
}

static bool is_due(struct limit *limit, int64_t bytes) {
  int64_t notify_at = limit->notify_at;
  if (bytes < notify_at || notify_at == limit->notified) return false;
  limit->notified = notify_at;
  return true;
}

/* Once per value of notify_at, which may be reached before it is set. */
static void notify_owner(struct pump *pump) {
  bool sending = is_due(&pump->send, pump->sent), receiving = is_due(&pump->receive, pump->received);
  if (sending || receiving) pump->notify(pump);
}

/* --- From the local socket to the peer -------------------------------------------------------- */

static bool seal_alert(struct pump *pump) {
  unsigned char *content = pump->outgoing + RECORD_HEADER;
  content[0] = 1, content[1] = CLOSE_NOTIFY;
  pump->out_end = seal_record(&pump->seal, pump->outgoing, 2, CONTENT_ALERT);
  return pump->out_end > 0;
}

/* The content is where the records will have it. All but the last are full, so they form one piece. */
static bool seal_all(struct pump *pump, size_t size) {
  for (size_t at = 0; at < size; at += MAX_CONTENT) {
    size_t part = size - at < MAX_CONTENT ? size - at : MAX_CONTENT;
    size_t sealed = seal_record(&pump->seal, pump->outgoing + pump->out_end, part, CONTENT_DATA);
    if (sealed == 0) return false;
    pump->out_end += sealed;
  }
  return true;
}

/* Reads from the local socket, each part to its place in a record. */
static ssize_t read_local(struct pump *pump, size_t most) {
  struct iovec slots[BATCH];
  size_t slot_count = 0, stride = pump->is_tls ? STRIDE : MAX_CONTENT;
  unsigned char *slot = pump->outgoing + (pump->is_tls ? RECORD_HEADER : 0);
  for (; slot_count < BATCH && most > 0; slot += stride) {
    size_t size = most < MAX_CONTENT ? most : MAX_CONTENT;
    slots[slot_count++] = (struct iovec){.iov_base = slot, .iov_len = size};
    most -= size;
  }
  struct msghdr message = {.msg_iov = slots, .msg_iovlen = slot_count};
  return recvmsg(pump->local, &message, MSG_DONTWAIT);
}

static bool fill_outgoing(struct pump *pump) {
  int64_t most = pump->send.allowed - pump->sent;
  if (most <= 0 || pump->local_ended) return false;
  ssize_t size = read_local(pump, most < OUT_CAPACITY ? (size_t)most : OUT_CAPACITY);
  if (size < 0) return wait_or_end(pump, &pump->local_events, POLLIN, "read");
  pump->local_ended = size == 0;
  pump->out_start = pump->out_end = 0;
  if (!pump->is_tls) pump->out_end = (size_t)size;
  else if (size == 0 ? !seal_alert(pump) : !seal_all(pump, (size_t)size))
    end_pump(pump, 0, "OpenSSL cannot encrypt");
  pump->pending = (int64_t)pump->out_end;
  pump->sent += size;
  return true;
}

/* Returns true if it moved something. */
static bool send_pages(struct pump *pump) {
  bool moved = false;
  if (pump->out_start == pump->out_end) moved = fill_outgoing(pump);
  if (pump->has_ended) return false;
  if (pump->out_start < pump->out_end) {
    size_t rest = pump->out_end - pump->out_start;
    ssize_t size = send(pump->peer, pump->outgoing + pump->out_start, rest,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) return wait_or_end(pump, &pump->peer_events, POLLOUT, "write") || moved;
    pump->out_start += (size_t)size;
    pump->pending -= size;
    pump->written += size;
    moved = true;
  }
  if (pump->local_ended && pump->out_start == pump->out_end) end_pump(pump, 0, NULL);
  return moved;
}

/* --- The thread ------------------------------------------------------------------------------- */

/* A descriptor for which nothing waits is left out: poll() would report its hang-up again and again. */
static void wait_for_events(struct pump *pump, int timeout) {
  struct pollfd fds[] = {
      {.fd = pump->wake, .events = POLLIN},
      {.fd = pump->local_events ? pump->local : -1, .events = pump->local_events},
      {.fd = pump->peer_events ? pump->peer : -1, .events = pump->peer_events},
  };
  uint64_t wakes;
  if (poll(fds, 3, timeout) > 0 && fds[0].revents) {
    ssize_t size = read(pump->wake, &wakes, sizeof wakes);
    (void)size;
  }
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Gives the local program what has arrived for it, as far as it reads that. */
static void drain(struct pump *pump) {
  int64_t deadline = now_ms() + DRAIN_MS, rest;
  while (pump->segment < pump->segment_count && pump->order != ABANDON &&
         (rest = deadline - now_ms()) > 0) {
    pump->local_events = pump->peer_events = 0;
    if (write_local(pump)) continue;
    if (!pump->local_events && errno != EINTR) break;
    wait_for_events(pump, (int)rest);
  }
}

void *run_pump(void *data) {
  struct pump *pump = data;
  while (!pump->has_ended && pump->order == RUN) {
    pump->local_events = pump->peer_events = 0;
    bool moved = send_pages(pump);
    moved = (!pump->has_ended && receive_pages(pump)) || moved;
    notify_owner(pump);
    if (!moved && !pump->has_ended) wait_for_events(pump, -1);
  }
  pump->has_ended = true;
  shutdown(pump->peer, SHUT_RDWR);
  pump->notify(pump);
  drain(pump);
  /* Others may have duplicates of the local socket, so that closing it would not end the connection. */
  shutdown(pump->local, SHUT_RDWR);
  pump->is_done = true;
  pump->notify(pump);
  return NULL;
}
