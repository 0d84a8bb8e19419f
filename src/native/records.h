/* The record layer of TLS 1.3 (RFC 8446, section 5), by the OpenSSL that Node contains. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER 5
#define RECORD_TRAILER 17 /* the type of the content, and the tag that authenticates the record */
#define MAX_CONTENT 16384 /* the most bytes of content in a record */
#define MAX_RECORD (RECORD_HEADER + MAX_CONTENT + 256)

enum content_type { CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23 };

/* The keys of one direction of a connection. */
struct record_keys {
  struct evp_cipher_ctx_st *context;
  unsigned char iv[12];
  uint64_t sequence; /* of the next record */
  bool seals;
};

/* Returns false if the cipher is unknown, the key does not fit it, or memory is short. */
bool init_keys(struct record_keys *keys, const char *cipher, const unsigned char *key, size_t size,
               bool seals);
void free_keys(struct record_keys *keys);

/* Encrypts the content at record + RECORD_HEADER in place. Returns the size of the record, or 0 after
 * a failure. */
size_t seal_record(struct record_keys *keys, unsigned char *record, size_t size,
                   enum content_type type);

/* The size of the record at the start of the data: 0 if its header is not complete, -1 if it is not a
 * record of encrypted content. */
long record_size(const unsigned char *data, size_t available);

/* Decrypts a whole record in place: its content is then at record + RECORD_HEADER. Returns false if it
 * is not authentic. */
bool open_record(struct record_keys *keys, unsigned char *record, size_t size, size_t *content,
                 enum content_type *type);
