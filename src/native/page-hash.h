/* A keyed hash of a page, in place of the page. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_KEY_SIZE = 16, HASH_SIZE = 16 };

struct evp_cipher_ctx_st;

/* What one thread needs for hashes with this key; NULL if memory is short. */
struct evp_cipher_ctx_st *page_hash_open(const uint8_t key[HASH_KEY_SIZE]);
void page_hash_close(struct evp_cipher_ctx_st *hash);
bool page_hash(struct evp_cipher_ctx_st *hash, const uint8_t *page, size_t size, uint8_t result[HASH_SIZE]);
