/* A keyed hash of a file, GMAC with AES-128: see images/checksum.ts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_KEY_SIZE = 16, FILE_IV_SIZE = 12, FILE_HASH_SIZE = 16 };

struct hash_method {
  uint8_t key[FILE_KEY_SIZE];
  uint8_t iv[FILE_IV_SIZE];
};

struct evp_cipher_ctx_st;

/* What one thread needs for the hashes of files, one after the other. */
struct file_hasher {
  struct evp_cipher_ctx_st *context;
  const uint8_t *iv;
  uint8_t *buffer;
};

/* Returns false if memory is short. The method must stay. */
bool file_hasher_open(struct file_hasher *hasher, const struct hash_method *method);
/* Idempotent. */
void file_hasher_close(struct file_hasher *hasher);

/* Begins with the next file. */
bool file_hash_begin(struct file_hasher *hasher);
/* Reads the next piece of a file; returns how many bytes, 0 at its end, or -1 with errno. */
int file_hash_read(struct file_hasher *hasher, int fd);
bool file_hash_end(struct file_hasher *hasher, uint8_t result[FILE_HASH_SIZE]);
