/* See file-hash.h. */
#include "file-hash.h"
#include "openssl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Is still in the cache of the processor when it is hashed. */
enum { PIECE = 256 * 1024 };

bool file_hasher_open(struct file_hasher *hasher, const struct hash_method *method) {
  *hasher = (struct file_hasher){EVP_CIPHER_CTX_new(), method->iv, malloc(PIECE)};
  if (hasher->context && hasher->buffer &&
      EVP_CipherInit_ex(hasher->context, EVP_aes_128_gcm(), NULL, method->key, NULL, 1) == 1)
    return true;
  file_hasher_close(hasher);
  return false;
}

void file_hasher_close(struct file_hasher *hasher) {
  if (hasher->context) EVP_CIPHER_CTX_free(hasher->context);
  free(hasher->buffer);
  *hasher = (struct file_hasher){0};
}

bool file_hash_begin(struct file_hasher *hasher) {
  return EVP_CipherInit_ex(hasher->context, NULL, NULL, NULL, hasher->iv, 1) == 1;
}

int file_hash_read(struct file_hasher *hasher, int fd) {
  ssize_t size;
  do size = read(fd, hasher->buffer, PIECE);
  while (size < 0 && errno == EINTR);
  if (size <= 0) return (int)size;
  int written;
  if (EVP_CipherUpdate(hasher->context, NULL, &written, hasher->buffer, (int)size) == 1) return (int)size;
  errno = ENOMEM;
  return -1;
}

bool file_hash_end(struct file_hasher *hasher, uint8_t result[FILE_HASH_SIZE]) {
  unsigned char none[1];
  int written;
  return EVP_CipherFinal_ex(hasher->context, none, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(hasher->context, GET_TAG, FILE_HASH_SIZE, result) == 1;
}
