/* The stored pages that threads have waited for: whoever restores the same images again can have them placed first. */
#include "lazy-pages.h"

#include <sys/socket.h>

/* After so many, the memory is delivered in the background anyhow. */
enum { MAX_WAITED = 4096 };

/* Consecutive pages, at their address in the images. */
static struct waited {
  uint64_t pid, address, count;
} waited[MAX_WAITED];
static size_t waited_count;

void note_waited(const struct memory *memory, uint64_t index, uint64_t count) {
  if (waited_count == MAX_WAITED) return;
  waited[waited_count++] = (struct waited){memory->pid, image_address(memory, index), count};
}

/* Nobody may be there any more, or may read slowly: then it is not said. */
void say_waited(void) {
  (void)send(TABLE, waited, waited_count * sizeof *waited, MSG_NOSIGNAL | MSG_DONTWAIT);
}
