/* The request of one spawn(), which spawn-request.c reads and spawn.c carries out. */
#pragma once

#include "addon.h"

#include <linux/filter.h>

/* Descriptor `source`, a copy that belongs to the request, becomes descriptor `target` of the child. */
struct mapping {
  int target, source;
};

struct spawn_request {
  char *file, *cwd; /* cwd is NULL for that of this process */
  int directory;    /* that directory, or -1 */
  char **args, **env;
  struct mapping *map; /* sorted by target */
  size_t map_count, copied;
  int clone_flags; /* namespaces to create */
  uid_t *ids; /* uid, gid and supplementary groups, or NULL */
  size_t id_count;
  bool new_session, has_umask, has_filter;
  mode_t umask;
  struct sock_fprog filter;
};

/* The caller frees *request, also after a failure; it must be zeroed before. What can change until the child is
 * started is copied: descriptors, and the working directory of this process. */
bool get_spawn_request(napi_env env, napi_value value, struct spawn_request *request);
void free_spawn_request(struct spawn_request *request);
/* Idempotent. */
void close_copies(struct spawn_request *request);
