/* The messages of CRIU's page server. */
#pragma once

#include <stdint.h>

/* CRIU's struct page_server_iov. */
struct page_message {
  uint32_t command; /* its bits from FLAGS_SHIFT on are flags of CRIU's pagemap */
  uint32_t padding;
  uint64_t page_count, address, destination;
};

enum { ADD_PAGES = 6, GET_PAGES = 7, COMMAND_MASK = 0xffff, FLAGS_SHIFT = 16 };
