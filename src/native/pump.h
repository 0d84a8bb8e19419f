/* A pump: a thread that moves bytes between a local socket and the TCP connection to a peer. */
#pragma once

#include "records.h"

#include <stdatomic.h>
#include <sys/uio.h>

#define MAX_SEGMENTS 64

/* How many bytes may have moved in one direction, and at how many the owner is notified. */
struct limit {
  _Atomic int64_t allowed, notify_at;
  int64_t notified; /* the last notify_at for which the owner was notified */
};

#define CLOSE_NOTIFY 0 /* the alert at the end of a connection */

enum order { RUN, CLOSE, ABANDON };

struct pump {
  int local, peer;
  int wake; /* an eventfd */
  bool is_tls;
  struct record_keys seal, open;

  /* From the local socket to the peer: what of the buffer is not written yet. */
  unsigned char *outgoing;
  size_t out_start, out_end;
  bool local_ended;

  /* From the peer to the local socket: what of the buffer is not decrypted yet, and the parts of it
   * (or of early) that are not written yet. */
  unsigned char *incoming, *early;
  size_t in_capacity, in_start, in_end;
  struct iovec segments[MAX_SEGMENTS];
  size_t segment, segment_count;
  int empty_records; /* without pages, since the last one with */

  /* What the thread waits for before it can go on. */
  short local_events, peer_events;

  /* Shared with the owner, who reads the failure once has_ended is set. */
  struct limit send, receive; /* of bytes without encryption */
  _Atomic int64_t sent, received;
  _Atomic int64_t written; /* bytes that the peer's socket took */
  _Atomic int64_t pending; /* bytes that it has still to take */
  atomic_int order;
  atomic_bool has_ended; /* no more data is read; what was read may still go to the local socket */
  atomic_bool is_done;   /* the thread touches nothing any more */
  int error;
  const char *failure; /* the call that failed with the error, or without one what is wrong */
  void (*notify)(struct pump *pump);
};

/* Both return false if memory is short. */
bool allocate_buffers(struct pump *pump, const void *unread, size_t size);
bool add_early(struct pump *pump, const void *data, size_t size);
void free_buffers(struct pump *pump);

/* Ends the pump; the first call decides why. */
void end_pump(struct pump *pump, int error, const char *failure);
/* For a call that has moved nothing: makes the thread wait for the event, or ends the pump. Returns false. */
bool wait_or_end(struct pump *pump, short *events, short event, const char *call);

/* pump-receive.c: each moves what it can without waiting, and returns true if it moved something. */
bool receive_pages(struct pump *pump);
bool write_local(struct pump *pump); /* only what is decrypted already */

/* The thread. */
void *run_pump(void *pump);
/* Makes the thread look at its order and limits again. */
void wake_pump(struct pump *pump);
