#include "page-copy.h"
#include "page-hash.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* Memory for contents is taken for this many pages at a time, so that growth moves nothing. */
enum { CHUNK_PAGES = 8192, CHUNK_SLOTS = 8192 };

/* A hash table with linear probing, from a page's number to its slot. */
struct table_entry {
  uint64_t key; /* the number of the page and 1; 0 in an empty entry */
  uint32_t slot;
};

struct slot {
  uint8_t *data;           /* NULL if the contents are not kept */
  uint8_t hash[HASH_SIZE]; /* instead of the contents */
  uint32_t round;          /* when the page was read last; 0 if it was not */
};

/* Pages for contents. Threads take from it at the same time. */
struct pool {
  pthread_mutex_t lock;
  uint8_t **chunks;
  size_t chunk_count;
  uint8_t **free_pages;
  size_t free_count;
  uint32_t *lent; /* slots, if contents are kept only until they are written */
  size_t lent_count, lent_capacity;
};

struct page_copy {
  size_t page_size;
  bool hashes;
  uint8_t key[HASH_KEY_SIZE];
  uint32_t round;
  struct table_entry *entries;
  size_t capacity; /* a power of two */
  uint32_t count;  /* of entries */
  struct slot *slots;
  size_t slot_capacity;
  uint32_t used;   /* slots that have been given out, in order */
  uint32_t *spare; /* those of them that are free again */
  uint32_t spare_count;
  struct pool pool;
};

/* --- Contents --------------------------------------------------------------------------------- */

static bool grow_pool(struct pool *pool, size_t page_size) {
  size_t count = pool->chunk_count + 1, size = CHUNK_PAGES * page_size;
  uint8_t **chunks = realloc(pool->chunks, count * sizeof *chunks);
  if (!chunks) return false;
  pool->chunks = chunks;
  uint8_t **free_pages = realloc(pool->free_pages, count * CHUNK_PAGES * sizeof *free_pages);
  if (!free_pages) return false;
  pool->free_pages = free_pages;
  uint8_t *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (chunk == MAP_FAILED) return false;
  (void)madvise(chunk, size, MADV_HUGEPAGE);
  chunks[pool->chunk_count++] = chunk;
  for (size_t i = CHUNK_PAGES; i > 0; i--) free_pages[pool->free_count++] = chunk + (i - 1) * page_size;
  return true;
}

static bool note_lent(struct pool *pool, uint32_t slot) {
  if (pool->lent_count == pool->lent_capacity) {
    size_t capacity = 2 * pool->lent_capacity + CHUNK_PAGES;
    uint32_t *lent = realloc(pool->lent, capacity * sizeof *lent);
    if (!lent) return false;
    pool->lent = lent;
    pool->lent_capacity = capacity;
  }
  pool->lent[pool->lent_count++] = slot;
  return true;
}

static bool give_data(struct page_copy *copy, uint32_t slot) {
  struct pool *pool = &copy->pool;
  pthread_mutex_lock(&pool->lock);
  bool is_given = (pool->free_count > 0 || grow_pool(pool, copy->page_size)) &&
                  (!copy->hashes || note_lent(pool, slot));
  if (is_given) copy->slots[slot].data = pool->free_pages[--pool->free_count];
  pthread_mutex_unlock(&pool->lock);
  return is_given;
}

static void take_data(struct page_copy *copy, uint32_t slot) {
  uint8_t *data = copy->slots[slot].data;
  if (data) copy->pool.free_pages[copy->pool.free_count++] = data;
  copy->slots[slot].data = NULL;
}

void page_copy_release(struct page_copy *copy) {
  struct pool *pool = &copy->pool;
  for (size_t i = 0; i < pool->lent_count; i++) take_data(copy, pool->lent[i]);
  pool->lent_count = 0;
}

/* --- The table -------------------------------------------------------------------------------- */

struct page_copy *page_copy_create(bool hashes) {
  struct page_copy *copy = calloc(1, sizeof *copy);
  if (!copy) return NULL;
  copy->hashes = hashes;
  copy->page_size = (size_t)sysconf(_SC_PAGESIZE);
  copy->round = 2; /* so that 0, which means never, is not the round before */
  pthread_mutex_init(&copy->pool.lock, NULL);
  if (!hashes || getrandom(copy->key, sizeof copy->key, 0) == sizeof copy->key) return copy;
  page_copy_free(copy);
  return NULL;
}

void page_copy_clear(struct page_copy *copy) {
  for (size_t i = 0; i < copy->pool.chunk_count; i++)
    munmap(copy->pool.chunks[i], CHUNK_PAGES * copy->page_size);
  free(copy->pool.chunks);
  free(copy->pool.free_pages);
  free(copy->pool.lent);
  copy->pool = (struct pool){.lock = copy->pool.lock};
  free(copy->slots);
  free(copy->spare);
  free(copy->entries);
  copy->slots = NULL;
  copy->spare = NULL;
  copy->entries = NULL;
  copy->capacity = copy->slot_capacity = 0;
  copy->count = copy->used = copy->spare_count = 0;
}

void page_copy_free(struct page_copy *copy) {
  page_copy_clear(copy);
  pthread_mutex_destroy(&copy->pool.lock);
  explicit_bzero(copy->key, sizeof copy->key);
  free(copy);
}

static struct table_entry *look_up(const struct page_copy *copy, uint64_t key) {
  size_t mask = copy->capacity - 1;
  size_t at = (key * 0x9e3779b97f4a7c15u >> 20) & mask;
  while (copy->entries[at].key != 0 && copy->entries[at].key != key) at = (at + 1) & mask;
  return &copy->entries[at];
}

/* Moves the entries to a table of this capacity. */
static bool rebuild(struct page_copy *copy, size_t capacity) {
  struct page_copy other = {.capacity = capacity, .entries = calloc(capacity, sizeof(struct table_entry))};
  if (!other.entries) return false;
  for (size_t i = 0; i < copy->capacity; i++) {
    const struct table_entry *entry = &copy->entries[i];
    if (entry->key != 0) *look_up(&other, entry->key) = *entry;
  }
  free(copy->entries);
  copy->entries = other.entries;
  copy->capacity = capacity;
  return true;
}

/* Keeps at least half of the table empty. */
static bool grow_table(struct page_copy *copy) {
  if (2 * ((size_t)copy->count + 1) <= copy->capacity) return true;
  return rebuild(copy, copy->capacity ? 2 * copy->capacity : 1024);
}

static bool grow_slots(struct page_copy *copy) {
  if (copy->spare_count > 0 || copy->used < copy->slot_capacity) return true;
  if (copy->used >= UINT32_MAX - CHUNK_SLOTS) {
    errno = ENOMEM;
    return false;
  }
  size_t capacity = copy->slot_capacity + copy->slot_capacity / 2 + CHUNK_SLOTS;
  struct slot *slots = realloc(copy->slots, capacity * sizeof *slots);
  if (!slots) return false;
  copy->slots = slots;
  uint32_t *spare = realloc(copy->spare, capacity * sizeof *spare);
  if (!spare) return false;
  copy->spare = spare;
  copy->slot_capacity = capacity;
  return true;
}

bool page_copy_start_round(struct page_copy *copy) {
  size_t dead = 0;
  page_copy_release(copy);
  for (uint32_t slot = 0; slot < copy->used; slot++)
    if (copy->slots[slot].round != copy->round) dead++;
  /* A few pages that are gone cost less than the search for them. */
  if (dead - copy->spare_count > copy->count / 8) {
    for (size_t i = 0; i < copy->capacity; i++) {
      struct table_entry *entry = &copy->entries[i];
      if (entry->key == 0 || copy->slots[entry->slot].round == copy->round) continue;
      take_data(copy, entry->slot);
      copy->spare[copy->spare_count++] = entry->slot;
      entry->key = 0;
      copy->count--;
    }
    /* An entry must not come after an empty place. */
    if (!rebuild(copy, copy->capacity)) return false;
  }
  copy->round++;
  return true;
}

uint32_t page_copy_slot(struct page_copy *copy, uint64_t page) {
  if (!grow_table(copy)) return UINT32_MAX;
  struct table_entry *entry = look_up(copy, page + 1);
  if (entry->key != 0) return entry->slot;
  if (!grow_slots(copy)) return UINT32_MAX;
  uint32_t slot = copy->spare_count > 0 ? copy->spare[--copy->spare_count] : copy->used++;
  copy->slots[slot] = (struct slot){.round = 0};
  *entry = (struct table_entry){.key = page + 1, .slot = slot};
  copy->count++;
  return slot;
}

void page_copy_forget(struct page_copy *copy, uint32_t slot) {
  copy->slots[slot].round = 0;
}

const uint8_t *page_copy_data(const struct page_copy *copy, uint64_t page) {
  if (copy->capacity == 0) return NULL;
  const struct table_entry *entry = look_up(copy, page + 1);
  if (entry->key == 0 || copy->slots[entry->slot].round != copy->round) return NULL;
  return copy->slots[entry->slot].data;
}

size_t page_copy_size(const struct page_copy *copy) {
  return copy->pool.chunk_count * CHUNK_PAGES * (copy->page_size + sizeof(uint8_t *)) +
         copy->slot_capacity * (sizeof(struct slot) + sizeof(uint32_t)) +
         copy->capacity * sizeof(struct table_entry);
}

/* --- Comparing -------------------------------------------------------------------------------- */

bool page_copy_begin(const struct page_copy *copy, struct page_reader *reader) {
  *reader = (struct page_reader){NULL};
  if (!copy->hashes) return true;
  reader->hash = page_hash_open(copy->key);
  if (!reader->hash) errno = ENOMEM;
  return reader->hash != NULL;
}

void page_copy_end(struct page_reader *reader) {
  if (reader->hash) page_hash_close(reader->hash);
}

enum page_state page_copy_update(struct page_copy *copy, struct page_reader *reader, uint32_t number,
                                 const uint8_t *page) {
  struct slot *slot = &copy->slots[number];
  uint8_t hash[HASH_SIZE];
  if (copy->hashes && !page_hash(reader->hash, page, copy->page_size, hash)) {
    errno = EIO;
    return PAGE_FAILED;
  }
  bool is_known = slot->round == copy->round - 1;
  bool is_same = is_known && (copy->hashes ? !memcmp(slot->hash, hash, HASH_SIZE)
                                           : !memcmp(slot->data, page, copy->page_size));
  /* A page that could not be kept is as one that was never read. */
  slot->round = 0;
  if (!is_same) {
    if (!slot->data && !give_data(copy, number)) return PAGE_FAILED;
    memcpy(slot->data, page, copy->page_size);
    if (copy->hashes) memcpy(slot->hash, hash, HASH_SIZE);
  }
  slot->round = copy->round;
  return is_same ? PAGE_SAME : PAGE_CHANGED;
}

bool page_copy_load(struct page_copy *copy, struct page_reader *reader, uint32_t number, const uint8_t *page) {
  struct slot *slot = &copy->slots[number];
  slot->round = 0;
  if (copy->hashes && !page_hash(reader->hash, page, copy->page_size, slot->hash)) {
    errno = EIO;
    return false;
  }
  if (!copy->hashes) {
    if (!slot->data && !give_data(copy, number)) return false;
    memcpy(slot->data, page, copy->page_size);
  }
  slot->round = copy->round;
  return true;
}
