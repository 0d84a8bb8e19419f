/* See records.h. */
#include "records.h"
#include "openssl.h"

#include <string.h>

static const struct {
  const char *name;
  const EVP_CIPHER *(*get)(void);
  size_t key_size;
} ciphers[] = {
    {"aes-128-gcm", EVP_aes_128_gcm, 16},
    {"aes-256-gcm", EVP_aes_256_gcm, 32},
    {"chacha20-poly1305", EVP_chacha20_poly1305, 32},
};

bool has_openssl(void) {
  return EVP_CIPHER_CTX_new && EVP_CIPHER_CTX_free && EVP_CIPHER_CTX_ctrl && EVP_CipherInit_ex &&
         EVP_CipherUpdate && EVP_CipherFinal_ex && EVP_aes_128_gcm && EVP_aes_256_gcm &&
         EVP_chacha20_poly1305;
}

bool init_keys(struct record_keys *keys, const char *cipher, const unsigned char *key, size_t size,
               bool seals) {
  keys->seals = seals;
  for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++) {
    if (strcmp(ciphers[i].name, cipher) != 0 || ciphers[i].key_size != size) continue;
    keys->context = EVP_CIPHER_CTX_new();
    return keys->context &&
           EVP_CipherInit_ex(keys->context, ciphers[i].get(), NULL, key, NULL, seals) == 1;
  }
  return false;
}

void free_keys(struct record_keys *keys) {
  if (keys->context) EVP_CIPHER_CTX_free(keys->context); /* which overwrites the key */
  memset(keys, 0, sizeof *keys);
}

/* Begins a record: its nonce is the IV with the sequence number in it, and its header is authenticated
 * too. */
static bool begin_record(struct record_keys *keys, const unsigned char *header) {
  unsigned char nonce[sizeof keys->iv];
  int size;
  memcpy(nonce, keys->iv, sizeof nonce);
  for (size_t i = 0; i < 8; i++)
    nonce[sizeof nonce - 1 - i] ^= (unsigned char)(keys->sequence >> (8 * i));
  keys->sequence++;
  return EVP_CipherInit_ex(keys->context, NULL, NULL, NULL, nonce, keys->seals) == 1 &&
         EVP_CipherUpdate(keys->context, NULL, &size, header, RECORD_HEADER) == 1;
}

size_t seal_record(struct record_keys *keys, unsigned char *record, size_t size,
                   enum content_type type) {
  unsigned char *content = record + RECORD_HEADER;
  size_t length = size + RECORD_TRAILER;
  memcpy(record, (unsigned char[]){CONTENT_DATA, 3, 3, length >> 8, length & 255}, RECORD_HEADER);
  content[size] = (unsigned char)type;
  int written, rest;
  if (!begin_record(keys, record) ||
      EVP_CipherUpdate(keys->context, content, &written, content, (int)size + 1) != 1 ||
      EVP_CipherFinal_ex(keys->context, content + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(keys->context, GET_TAG, TAG_SIZE, content + size + 1) != 1)
    return 0;
  return RECORD_HEADER + length;
}

long record_size(const unsigned char *data, size_t available) {
  if (available < RECORD_HEADER) return 0;
  size_t length = (size_t)data[3] << 8 | data[4];
  bool is_valid = data[0] == CONTENT_DATA && length >= RECORD_TRAILER &&
                  RECORD_HEADER + length <= MAX_RECORD;
  return is_valid ? (long)(RECORD_HEADER + length) : -1;
}

bool open_record(struct record_keys *keys, unsigned char *record, size_t size, size_t *content,
                 enum content_type *type) {
  unsigned char *data = record + RECORD_HEADER;
  int encrypted = (int)(size - RECORD_HEADER - TAG_SIZE), written, rest;
  if (!begin_record(keys, record) ||
      EVP_CIPHER_CTX_ctrl(keys->context, SET_TAG, TAG_SIZE, data + encrypted) != 1 ||
      EVP_CipherUpdate(keys->context, data, &written, data, encrypted) != 1 ||
      EVP_CipherFinal_ex(keys->context, data + written, &rest) != 1)
    return false;
  /* Zeros may follow the type, to hide the size of the content. */
  size_t end = (size_t)written;
  while (end > 0 && data[end - 1] == 0) end--;
  if (end == 0 || end - 1 > MAX_CONTENT) return false;
  *type = data[end - 1];
  *content = end - 1;
  return true;
}
