/* The functions of OpenSSL that Node exports, or that it is linked with. All of them have been the same since
 * OpenSSL 1.1, so their declarations are here and no header is needed. A Node without them loads the addon
 * nevertheless, because the references are weak: see has_openssl(). */
#pragma once

#include <stdbool.h>

#define TAG_SIZE 16
#define GET_TAG 0x10 /* EVP_CTRL_AEAD_GET_TAG */
#define SET_TAG 0x11 /* EVP_CTRL_AEAD_SET_TAG */

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;

#define WEAK __attribute__((weak))
WEAK EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
WEAK void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *);
WEAK int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *, int type, int argument, void *data);
WEAK int EVP_CipherInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *engine,
                           const unsigned char *key, const unsigned char *iv, int encrypt);
WEAK int EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *out, int *size, const unsigned char *in,
                          int in_size);
WEAK int EVP_CipherFinal_ex(EVP_CIPHER_CTX *, unsigned char *out, int *size);
WEAK const EVP_CIPHER *EVP_aes_128_gcm(void);
WEAK const EVP_CIPHER *EVP_aes_256_gcm(void);
WEAK const EVP_CIPHER *EVP_chacha20_poly1305(void);
WEAK int RAND_poll(void);

/* True if this process has those of records.c. */
bool has_openssl(void);
