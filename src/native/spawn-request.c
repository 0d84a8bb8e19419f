/* Conversion of the argument of spawn() to a struct spawn_request. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A zeroed array with one item more than the JavaScript array: NULL ends a list of strings. */
static bool allocate_array(napi_env env, napi_value list, size_t item_size, void **items,
                           uint32_t *length) {
  bool is_array;
  if (!check(env, napi_is_array(env, list, &is_array))) return false;
  if (!is_array) return throw_type(env, "expected an array");
  if (!check(env, napi_get_array_length(env, list, length))) return false;
  *items = calloc((size_t)*length + 1, item_size);
  return *items || throw_errno(env, ENOMEM, "calloc", NULL);
}

static bool get_strings(napi_env env, napi_value list, char ***result) {
  uint32_t length;
  void *items = NULL;
  if (!allocate_array(env, list, sizeof **result, &items, &length)) return false;
  *result = items;
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    if (!check(env, napi_get_element(env, list, i, &item)) || !get_string(env, item, &(*result)[i]))
      return false;
  }
  return true;
}

static bool get_mapping(napi_env env, napi_value pair, struct mapping *mapping) {
  napi_value target, source;
  bool is_array;
  if (!check(env, napi_is_array(env, pair, &is_array))) return false;
  if (!is_array) return throw_type(env, "expected pairs of descriptors");
  if (!check(env, napi_get_element(env, pair, 0, &target)) ||
      !check(env, napi_get_element(env, pair, 1, &source)) ||
      !get_int(env, target, &mapping->target) || !get_int(env, source, &mapping->source))
    return false;
  if (mapping->target >= 0 && mapping->target < INT_MAX && mapping->source >= 0) return true;
  return throw_type(env, "not a descriptor");
}

static int by_target(const void *a, const void *b) {
  const struct mapping *left = a, *right = b;
  return (left->target > right->target) - (left->target < right->target);
}

/* The copies are above all targets. */
static bool copy_sources(napi_env env, struct spawn_request *request) {
  int floor = request->map_count ? request->map[request->map_count - 1].target + 1 : 0;
  for (; request->copied < request->map_count; request->copied++) {
    int *source = &request->map[request->copied].source;
    int copy = fcntl(*source, F_DUPFD_CLOEXEC, floor);
    if (copy < 0) return throw_errno(env, errno, "fcntl", NULL);
    *source = copy;
  }
  return true;
}

void close_copies(struct spawn_request *request) {
  while (request->copied > 0) close(request->map[--request->copied].source);
  if (request->directory >= 0) close(request->directory);
  request->directory = -1;
}

static bool get_map(napi_env env, napi_value list, struct spawn_request *request) {
  uint32_t length;
  void *items = NULL;
  if (!allocate_array(env, list, sizeof *request->map, &items, &length)) return false;
  struct mapping *map = request->map = items;
  request->map_count = length;
  for (uint32_t i = 0; i < length; i++) {
    napi_value pair;
    if (!check(env, napi_get_element(env, list, i, &pair)) || !get_mapping(env, pair, &map[i]))
      return false;
  }
  qsort(map, length, sizeof *map, by_target);
  for (uint32_t i = 1; i < length; i++)
    if (map[i].target == map[i - 1].target)
      return throw_type(env, "two descriptors have the same number in the child");
  return copy_sources(env, request);
}

static bool get_ids(napi_env env, napi_value list, struct spawn_request *request) {
  uint32_t length;
  void *items = NULL;
  if (!allocate_array(env, list, sizeof *request->ids, &items, &length)) return false;
  request->ids = items;
  request->id_count = length;
  for (uint32_t i = 0; i < length; i++) {
    napi_value item;
    int id;
    if (!check(env, napi_get_element(env, list, i, &item)) || !get_int(env, item, &id))
      return false;
    request->ids[i] = (uid_t)id;
  }
  return length >= 2 || throw_type(env, "expected a user and a group");
}

static bool get_filter(napi_env env, napi_value value, struct spawn_request *request) {
  void *data;
  size_t size;
  if (!get_bytes(env, value, &data, &size)) return false;
  request->filter.len = (unsigned short)(size / sizeof(struct sock_filter));
  if (size != request->filter.len * sizeof(struct sock_filter)) return throw_type(env, "not a BPF program");
  request->filter.filter = malloc(size);
  if (!request->filter.filter) return throw_errno(env, ENOMEM, "malloc", NULL);
  memcpy(request->filter.filter, data, size);
  return true;
}

static bool get_new_session(napi_env env, napi_value value, struct spawn_request *request) {
  return napi_get_value_bool(env, value, &request->new_session) == napi_ok ||
         throw_type(env, "expected a boolean");
}

static bool get_umask(napi_env env, napi_value value, struct spawn_request *request) {
  int umask;
  if (!get_int(env, value, &umask)) return false;
  request->has_umask = true;
  request->umask = (mode_t)umask;
  return true;
}

bool get_spawn_request(napi_env env, napi_value value, struct spawn_request *request) {
  enum { PROGRAM, ARGS, ENV, DESCRIPTORS, CWD, NEW_SESSION, UMASK, IDS, FLAGS, FILTER, PROPERTIES };
  static const char *const names[PROPERTIES] = {
      "file",       "args",  "env", "descriptors", "cwd",
      "newSession", "umask", "ids", "cloneFlags",  "seccompFilter"};
  napi_value values[PROPERTIES];
  bool given[PROPERTIES];
  napi_valuetype type;
  request->directory = -1;
  if (!check(env, napi_typeof(env, value, &type))) return false;
  if (type != napi_object) return throw_type(env, "expected an object");
  for (int i = 0; i < PROPERTIES; i++)
    if (!check(env, napi_get_named_property(env, value, names[i], &values[i])) ||
        !is_given(env, values[i], &given[i]))
      return false;

  request->has_filter = given[FILTER];
  if (!given[CWD]) request->directory = open(".", O_PATH | O_CLOEXEC);
  return get_string(env, values[PROGRAM], &request->file) &&
         get_strings(env, values[ARGS], &request->args) &&
         get_strings(env, values[ENV], &request->env) &&
         get_map(env, values[DESCRIPTORS], request) &&
         (!given[CWD] || get_string(env, values[CWD], &request->cwd)) &&
         (!given[NEW_SESSION] || get_new_session(env, values[NEW_SESSION], request)) &&
         (!given[UMASK] || get_umask(env, values[UMASK], request)) &&
         (!given[IDS] || get_ids(env, values[IDS], request)) &&
         (!given[FLAGS] || get_int(env, values[FLAGS], &request->clone_flags)) &&
         (!given[FILTER] || get_filter(env, values[FILTER], request));
}

static void free_strings(char **strings) {
  for (char **string = strings; string && *string; string++) free(*string);
  free(strings);
}

void free_spawn_request(struct spawn_request *request) {
  free(request->file);
  free(request->cwd);
  free_strings(request->args);
  free_strings(request->env);
  close_copies(request);
  free(request->map);
  free(request->ids);
  free(request->filter.filter);
}
