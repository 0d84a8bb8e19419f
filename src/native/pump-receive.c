/* The direction from the peer to the local socket of a pump. */
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Reads of fewer bytes would not be worth their system call. */
#define LEAST_READ 4096
/* How many records without pages may follow each other. Node sends two tickets and an alert at most. */
#define MAX_EMPTY_RECORDS 32
#define NEW_SESSION_TICKET 4

bool write_local(struct pump *pump) {
  struct msghdr message = {.msg_iov = pump->segments + pump->segment,
                           .msg_iovlen = pump->segment_count - pump->segment};
  ssize_t size = sendmsg(pump->local, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0) return wait_or_end(pump, &pump->local_events, POLLOUT, "write");
  for (size_t rest = (size_t)size; rest > 0;) {
    struct iovec *first = &pump->segments[pump->segment];
    size_t part = rest < first->iov_len ? rest : first->iov_len;
    first->iov_base = (char *)first->iov_base + part;
    first->iov_len -= part;
    rest -= part;
    if (first->iov_len == 0) pump->segment++;
  }
  return true;
}

static void add_segment(struct pump *pump, void *data, size_t size) {
  if (size == 0) return;
  pump->segments[pump->segment_count++] = (struct iovec){.iov_base = data, .iov_len = size};
  pump->received += (int64_t)size;
}

/* Tickets are for later connections, of which there are none. */
static void take_content(struct pump *pump, unsigned char *content, size_t size,
                         enum content_type type) {
  pump->empty_records = type == CONTENT_DATA && size > 0 ? 0 : pump->empty_records + 1;
  if (pump->empty_records > MAX_EMPTY_RECORDS)
    end_pump(pump, 0, "the peer sends records of TLS without data");
  else if (type == CONTENT_DATA) add_segment(pump, content, size);
  else if (type == CONTENT_ALERT && size == 2 && content[1] == CLOSE_NOTIFY) end_pump(pump, 0, NULL);
  else if (type == CONTENT_ALERT) end_pump(pump, 0, "the peer reports a failure of TLS");
  else if (type != CONTENT_HANDSHAKE || size == 0 || *content != NEW_SESSION_TICKET)
    end_pump(pump, 0, "the peer has sent an unexpected message of TLS");
}

/* Decrypts the complete records of the buffer. Returns true if there were any. */
static bool open_records(struct pump *pump) {
  size_t begin = pump->in_start;
  pump->segment = pump->segment_count = 0;
  while (pump->segment_count < MAX_SEGMENTS && !pump->has_ended) {
    unsigned char *record = pump->incoming + pump->in_start;
    size_t content, available = pump->in_end - pump->in_start;
    enum content_type type;
    long size = record_size(record, available);
    if (size == 0 || size > (long)available) break;
    if (size < 0 || !open_record(&pump->open, record, (size_t)size, &content, &type)) {
      end_pump(pump, 0, "the peer has sent data that is not a valid record of TLS");
      break;
    }
    pump->in_start += (size_t)size;
    take_content(pump, record + RECORD_HEADER, content, type);
  }
  return pump->in_start > begin;
}

/* Passes the buffer on as it is. Returns false if it is empty. */
static bool take_plain(struct pump *pump) {
  size_t size = pump->in_end - pump->in_start;
  pump->segment = pump->segment_count = 0;
  add_segment(pump, pump->incoming + pump->in_start, size);
  pump->in_start = pump->in_end;
  return size > 0;
}

static bool read_peer(struct pump *pump, int64_t most) {
  size_t rest = pump->in_end - pump->in_start, space = pump->in_capacity - rest;
  memmove(pump->incoming, pump->incoming + pump->in_start, rest);
  pump->in_start = 0, pump->in_end = rest;
  if (most < LEAST_READ) most = LEAST_READ;
  ssize_t size = recv(pump->peer, pump->incoming + rest,
                      most < (int64_t)space ? (size_t)most : space, MSG_DONTWAIT);
  if (size < 0) return wait_or_end(pump, &pump->peer_events, POLLIN, "read");
  if (size == 0) end_pump(pump, 0, NULL);
  pump->in_end += (size_t)size;
  return size > 0;
}

bool receive_pages(struct pump *pump) {
  if (pump->segment < pump->segment_count) return write_local(pump);
  int64_t most = pump->receive.allowed - pump->received;
  if (most <= 0) return false;
  return (pump->is_tls ? open_records(pump) : take_plain(pump)) || read_peer(pump, most);
}
