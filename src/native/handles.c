/* The descriptors and children that an environment (the main thread or a worker) owns, so that it
 * can release them when it ends. */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A descriptor that JavaScript has not closed yet (or -1), and a child that JavaScript has not
 * waited for yet (or 0). A pidfd from spawn() has both. */
struct handle {
  int fd;
  pid_t child;
};

struct handles {
  struct handle *items;
  size_t count, capacity;
};

static struct handles *handles_of(napi_env env) {
  void *handles = NULL;
  require_ok(napi_get_instance_data(env, &handles), "napi_get_instance_data");
  return handles;
}

static struct handle *find_fd(struct handles *handles, int fd) {
  for (size_t i = 0; fd >= 0 && i < handles->count; i++)
    if (handles->items[i].fd == fd) return &handles->items[i];
  return NULL;
}

/* Removes an entry that holds nothing any more: the last entry takes its place. */
static void remove_if_empty(struct handles *handles, struct handle *entry) {
  if (entry->fd < 0 && entry->child == 0) *entry = handles->items[--handles->count];
}

bool reserve_handles(napi_env env, size_t count) {
  struct handles *handles = handles_of(env);
  if (handles->capacity - handles->count >= count) return true;
  size_t capacity = 2 * handles->capacity + count;
  struct handle *items = realloc(handles->items, capacity * sizeof *items);
  if (!items) return throw_errno(env, ENOMEM, "realloc", NULL);
  handles->items = items;
  handles->capacity = capacity;
  return true;
}

void track(napi_env env, int fd, pid_t child) {
  struct handles *handles = handles_of(env);
  handles->items[handles->count++] = (struct handle){.fd = fd, .child = child};
}

/* Forgets a descriptor. A child behind it still has to be reaped and stays in the list. */
bool untrack_fd(napi_env env, int fd) {
  struct handles *handles = handles_of(env);
  struct handle *entry = find_fd(handles, fd);
  if (!entry) return false;
  entry->fd = -1;
  remove_if_empty(handles, entry);
  return true;
}

void untrack_child(napi_env env, pid_t pid) {
  struct handles *handles = handles_of(env);
  for (size_t i = 0; i < handles->count; i++) {
    if (handles->items[i].child != pid) continue;
    handles->items[i].child = 0;
    remove_if_empty(handles, &handles->items[i]);
    return;
  }
}

void disown_child(napi_env env, int pidfd) {
  struct handle *entry = find_fd(handles_of(env), pidfd);
  if (entry) entry->child = 0;
}

bool return_fd(napi_env env, int fd, napi_value *result) {
  if (!reserve_handles(env, 1) || !check(env, napi_create_int32(env, fd, result))) {
    close(fd);
    return false;
  }
  track(env, fd, 0);
  return true;
}

/* Runs when the environment ends, after its watches have been closed (see watch.c). */
static void close_handles(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct handles *handles = data;
  for (size_t i = 0; i < handles->count; i++) {
    if (handles->items[i].fd >= 0) close(handles->items[i].fd);
    if (handles->items[i].child) reap_later(handles->items[i].child);
  }
  free(handles->items);
  free(handles);
}

bool open_handles(napi_env env) {
  struct handles *handles = calloc(1, sizeof *handles);
  if (!handles) return throw_errno(env, ENOMEM, "calloc", NULL);
  if (check(env, napi_set_instance_data(env, handles, close_handles, NULL))) return true;
  free(handles);
  return false;
}

bool js_close(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  untrack_fd(env, fd);
  /* On Linux, close() releases the descriptor even if a signal interrupts it. */
  return close(fd) == 0 || errno == EINTR || throw_errno(env, errno, "close", NULL);
}

bool js_release(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  int fd;
  if (!get_int(env, call->arguments[0], &fd)) return false;
  disown_child(env, fd);
  untrack_fd(env, fd);
  return true;
}
