/* The pages of another process as they were read in the last round: their contents, or a keyed hash of each, with
 * the contents of those that have changed until they are written. */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_copy;

/* Returns NULL with errno set. Hashes need OpenSSL. */
struct page_copy *page_copy_create(bool hashes);
void page_copy_free(struct page_copy *copy);
/* Forgets all pages, and frees their memory. */
void page_copy_clear(struct page_copy *copy);
/* Starts a round: pages that were not read in the round before are forgotten. Returns false with errno set. */
bool page_copy_start_round(struct page_copy *copy);
/* The slot of a page, which is made for a page that has none; UINT32_MAX with errno set. */
uint32_t page_copy_slot(struct page_copy *copy, uint64_t page);
/* Makes a page one that was never read. */
void page_copy_forget(struct page_copy *copy, uint32_t slot);
/* The contents of a page that was read in this round; NULL if they are not kept. */
const uint8_t *page_copy_data(const struct page_copy *copy, uint64_t page);
/* Forgets the contents of the pages that have changed, where hashes are kept. */
void page_copy_release(struct page_copy *copy);
/* The memory that the copy takes. */
size_t page_copy_size(const struct page_copy *copy);

/* What a thread needs to compare pages. */
struct page_reader {
  struct evp_cipher_ctx_st *hash;
};

enum page_state { PAGE_GONE, PAGE_SAME, PAGE_CHANGED, PAGE_FAILED };

/* Returns false with errno set. */
bool page_copy_begin(const struct page_copy *copy, struct page_reader *reader);
void page_copy_end(struct page_reader *reader);
/* Compares a page with what was read of it in the round before, and keeps it. It is the same if it was read then
 * and has not changed; PAGE_FAILED comes with errno. Threads may call this at the same time for different slots. */
enum page_state page_copy_update(struct page_copy *copy, struct page_reader *reader, uint32_t slot,
                                 const uint8_t *page);
/* Keeps a page as one that was read in this round, without its contents where hashes are kept. Returns false with
 * errno set. */
bool page_copy_load(struct page_copy *copy, struct page_reader *reader, uint32_t slot, const uint8_t *page);
