/* A copy of the memory of a process, as a JavaScript object, whose work is done on threads. */
#include "addon.h"
#include "compare.h"
#include "openssl.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct memory {
  struct page_copy *copy;
  bool is_busy; /* while a request runs */
};

struct request {
  struct job job;
  struct memory *memory;
  napi_async_work work;
  napi_deferred deferred;
  napi_ref object; /* keeps the memory while the request runs */
  void (*run)(struct job *job);
};

static const napi_type_tag memory_tag = {0x6b1d5f0a9c7e4d21, 0x8f3e2a7b5c914d60};

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct memory *memory = data;
  page_copy_free(memory->copy);
  free(memory);
}

static bool this_memory(napi_env env, const struct call *call, struct memory **memory) {
  bool is_memory = false;
  void *data;
  if (napi_check_object_type_tag(env, call->receiver, &memory_tag, &is_memory) != napi_ok || !is_memory)
    return throw_type(env, "not a copy of memory");
  if (!check(env, napi_unwrap(env, call->receiver, &data))) return false;
  *memory = data;
  return !(*memory)->is_busy || throw_type(env, "the copy is in use");
}

/* --- Requests --------------------------------------------------------------------------------- */

static void free_request(napi_env env, struct request *request) {
  if (request->work) require_ok(napi_delete_async_work(env, request->work), "napi_delete_async_work");
  if (request->object) require_ok(napi_delete_reference(env, request->object), "napi_delete_reference");
  free(request->job.entries.items);
  free(request->job.found.items);
  free(request);
}

/* An array of address, number of pages and flags of each entry. */
static bool entries_value(napi_env env, const struct entries *entries, napi_value *array) {
  void *data;
  napi_value buffer;
  size_t length = 3 * entries->count, page_size = (size_t)sysconf(_SC_PAGESIZE);
  if (!check(env, napi_create_arraybuffer(env, length * sizeof(double), &data, &buffer)) ||
      !check(env, napi_create_typedarray(env, napi_float64_array, length, buffer, 0, array)))
    return false;
  double *numbers = data;
  for (size_t i = 0; i < entries->count; i++) {
    *numbers++ = (double)(entries->items[i].first * page_size);
    *numbers++ = (double)entries->items[i].count;
    *numbers++ = (double)entries->items[i].flags;
  }
  return true;
}

static bool number_property(napi_env env, napi_value object, const char *name, uint64_t number) {
  napi_value value;
  return check(env, napi_create_double(env, (double)number, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool result_value(napi_env env, const struct job *job, napi_value *value) {
  napi_value entries;
  return check(env, napi_create_object(env, value)) && entries_value(env, &job->found, &entries) &&
         check(env, napi_set_named_property(env, *value, "entries", entries)) &&
         number_property(env, *value, "changedPages", job->changed_count) &&
         number_property(env, *value, "samePages", job->same_count);
}

static void run(napi_env env, void *data) {
  (void)env;
  struct request *request = data;
  request->run(&request->job);
}

static void write_and_release(struct job *job) {
  write_pages(job);
  page_copy_release(job->copy);
}

static void settle(napi_env env, napi_status status, void *data) {
  struct request *request = data;
  struct job *job = &request->job;
  napi_value value;
  request->memory->is_busy = false;
  if (status == napi_cancelled) job->error = ECANCELED, job->failed_call = "process_vm_readv";
  /* These fail only in an environment that is ending, where no JavaScript runs any more. */
  if (!job->error && result_value(env, job, &value)) {
    (void)napi_resolve_deferred(env, request->deferred, value);
  } else {
    if (job->error) throw_errno(env, job->error, job->failed_call, NULL);
    if (napi_get_and_clear_last_exception(env, &value) == napi_ok)
      (void)napi_reject_deferred(env, request->deferred, value);
  }
  free_request(env, request);
}

static bool get_entries(napi_env env, napi_value value, struct entries *entries) {
  bool is_typed_array;
  napi_typedarray_type type;
  size_t length, page_size = (size_t)sysconf(_SC_PAGESIZE);
  void *data;
  if (!check(env, napi_is_typedarray(env, value, &is_typed_array))) return false;
  if (!is_typed_array) return throw_type(env, "expected a Float64Array");
  if (!check(env, napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL))) return false;
  if (type != napi_float64_array || length % 3 != 0)
    return throw_type(env, "expected a Float64Array of address, count and flags");
  const double *numbers = data;
  entries->items = calloc(length / 3 + 1, sizeof *entries->items);
  if (!entries->items) return throw_errno(env, ENOMEM, "calloc", NULL);
  for (; length > 0; length -= 3, numbers += 3) {
    if (!(numbers[0] >= 0 && numbers[0] < 0x1p63 && numbers[1] >= 0 && numbers[1] < 0x1p51 &&
          numbers[2] >= 0 && numbers[2] < 0x1p16))
      return throw_type(env, "expected addresses, counts and flags");
    entries->items[entries->count++] = (struct entry){
        (uint64_t)numbers[0] / page_size, (uint64_t)numbers[1], (uint32_t)numbers[2]};
  }
  return true;
}

/* Makes a request with the entries of the second argument, and with the first, an int. */
static struct request *make_request(napi_env env, const struct call *call, void (*run)(struct job *)) {
  struct memory *memory;
  if (!this_memory(env, call, &memory)) return NULL;
  struct request *request = calloc(1, sizeof *request);
  if (!request) {
    throw_errno(env, ENOMEM, "calloc", NULL);
    return NULL;
  }
  request->memory = memory;
  request->run = run;
  request->job.copy = memory->copy;
  if (get_entries(env, call->arguments[1], &request->job.entries)) return request;
  free_request(env, request);
  return NULL;
}

static bool start(napi_env env, const struct call *call, struct request *request, napi_value *result) {
  napi_value name;
  if (check(env, napi_create_string_utf8(env, "CRIU_MEMORY", NAPI_AUTO_LENGTH, &name)) &&
      check(env, napi_create_async_work(env, NULL, name, run, settle, request, &request->work)) &&
      check(env, napi_create_reference(env, call->receiver, 1, &request->object)) &&
      check(env, napi_create_promise(env, &request->deferred, result)) &&
      check(env, napi_queue_async_work(env, request->work))) {
    request->memory->is_busy = true;
    return true;
  }
  free_request(env, request);
  return false;
}

/* --- Methods ---------------------------------------------------------------------------------- */

enum { ALL = 1, BACKGROUND = 2 };

static bool memory_compare(napi_env env, const struct call *call, napi_value *result) {
  struct request *request = make_request(env, call, compare_pages);
  if (!request) return false;
  int how;
  if (!get_int(env, call->arguments[0], &request->job.pid) || !get_int(env, call->arguments[2], &how)) {
    free_request(env, request);
    return false;
  }
  request->job.all = how & ALL;
  request->job.is_background = how & BACKGROUND;
  return start(env, call, request, result);
}

static bool memory_write(napi_env env, const struct call *call, napi_value *result) {
  struct request *request = make_request(env, call, write_and_release);
  if (!request) return false;
  int64_t destination;
  if (!get_int(env, call->arguments[0], &request->job.fd) ||
      !check(env, napi_get_value_int64(env, call->arguments[2], &destination))) {
    free_request(env, request);
    return false;
  }
  request->job.destination = (uint64_t)destination;
  return start(env, call, request, result);
}

static bool memory_load(napi_env env, const struct call *call, napi_value *result) {
  struct request *request = make_request(env, call, load_pages);
  if (!request) return false;
  int64_t offset;
  if (!get_int(env, call->arguments[0], &request->job.fd) ||
      !check(env, napi_get_value_int64(env, call->arguments[2], &offset))) {
    free_request(env, request);
    return false;
  }
  request->job.offset = (off_t)offset;
  return start(env, call, request, result);
}

static bool memory_start_round(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct memory *memory;
  if (!this_memory(env, call, &memory)) return false;
  return page_copy_start_round(memory->copy) || throw_errno(env, ENOMEM, "calloc", NULL);
}

static bool memory_free(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct memory *memory;
  if (!this_memory(env, call, &memory)) return false;
  page_copy_clear(memory->copy);
  return true;
}

static bool memory_size(napi_env env, const struct call *call, napi_value *result) {
  struct memory *memory;
  return this_memory(env, call, &memory) &&
         check(env, napi_create_double(env, (double)page_copy_size(memory->copy), result));
}

bool js_memory_copy(napi_env env, const struct call *call, napi_value *result) {
  static const struct method methods[] = {
      {"startRound", memory_start_round},
      {"compare", memory_compare},
      {"write", memory_write},
      {"load", memory_load},
      {"free", memory_free},
      {"size", memory_size},
  };
  bool hashes;
  if (!check(env, napi_get_value_bool(env, call->arguments[0], &hashes))) return false;
  if (hashes && !has_openssl()) return throw_errno(env, ENOSYS, "EVP_CipherInit_ex", NULL);
  struct memory *memory = calloc(1, sizeof *memory);
  if (!memory || !(memory->copy = page_copy_create(hashes))) {
    free(memory);
    return throw_errno(env, errno, "calloc", NULL);
  }
  if (check(env, napi_create_object(env, result)) &&
      define_methods(env, *result, methods, sizeof methods / sizeof *methods) &&
      check(env, napi_type_tag_object(env, *result, &memory_tag)) &&
      check(env, napi_wrap(env, *result, memory, on_collected, NULL, NULL)))
    return true;
  page_copy_free(memory->copy);
  free(memory);
  return false;
}
