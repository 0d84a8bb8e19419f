/* Hashes the files of pages in a directory while CRIU writes them, on a thread. */
#pragma once

#include "file-hash.h"

#include <stdint.h>
#include <sys/types.h>

/* A file that was read to its end, as far as it was written by then. */
struct followed_file {
  unsigned number; /* pages-NUMBER.img */
  ino_t inode;
  uint64_t bytes;
  uint8_t hash[FILE_HASH_SIZE];
};

struct page_follower;

/* Owns the descriptor of the directory from then on. Returns NULL with errno, and has closed it. */
struct page_follower *page_follower_start(int directory, const struct hash_method *method);
/* The files are complete: ends the thread, and reads what it has not read. Idempotent. */
void page_follower_finish(struct page_follower *follower);
/* What it has read once it is finished. */
const struct followed_file *page_follower_files(const struct page_follower *follower, size_t *count);
/* Ends the thread, whatever is still to be read. */
void page_follower_free(struct page_follower *follower);
