/* GMAC, the authentication of AES-GCM without a text: processors have instructions for it, and Node has it. The
 * key is random and, like the hashes, never leaves this process. So whoever writes a page cannot choose two pages
 * with the same hash: for any two, the probability is below 2^-119. The nonce may be the same each time,
 * because nobody sees the result, with which the key could be found. */
#include "page-hash.h"
#include "openssl.h"

static const unsigned char nonce[12];

EVP_CIPHER_CTX *page_hash_open(const uint8_t key[HASH_KEY_SIZE]) {
  EVP_CIPHER_CTX *hash = EVP_CIPHER_CTX_new();
  if (!hash || EVP_CipherInit_ex(hash, EVP_aes_128_gcm(), NULL, key, NULL, 1) == 1) return hash;
  EVP_CIPHER_CTX_free(hash);
  return NULL;
}

void page_hash_close(EVP_CIPHER_CTX *hash) {
  EVP_CIPHER_CTX_free(hash);
}

bool page_hash(EVP_CIPHER_CTX *hash, const uint8_t *page, size_t size, uint8_t result[HASH_SIZE]) {
  unsigned char none[1];
  int written;
  return EVP_CipherInit_ex(hash, NULL, NULL, NULL, nonce, 1) == 1 &&
         EVP_CipherUpdate(hash, NULL, &written, page, (int)size) == 1 &&
         EVP_CipherFinal_ex(hash, none, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(hash, GET_TAG, HASH_SIZE, result) == 1;
}
