/* The checksums of files, as a JavaScript object: of small files at once, of others on threads. */
#include "addon.h"
#include "file-hash.h"
#include "openssl.h"
#include "page-follower.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct checksums {
  struct hash_method method;
  struct file_hasher hasher; /* for what is done at once */
  struct page_follower *follower;
  bool is_finishing;
};

struct result {
  uint64_t bytes;
  uint8_t hash[FILE_HASH_SIZE];
};

static const napi_type_tag checksums_tag = {0x2f4e9b1c7a3d5086, 0x91c5d7e3b06f4a28};

static void free_checksums(struct checksums *checksums) {
  if (checksums->follower) page_follower_free(checksums->follower);
  file_hasher_close(&checksums->hasher);
  free(checksums);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  free_checksums(data);
}

static bool this_checksums(napi_env env, const struct call *call, struct checksums **checksums) {
  bool is_checksums = false;
  void *data;
  if (napi_check_object_type_tag(env, call->receiver, &checksums_tag, &is_checksums) != napi_ok ||
      !is_checksums)
    return throw_type(env, "not an object for checksums");
  if (!check(env, napi_unwrap(env, call->receiver, &data))) return false;
  *checksums = data;
  return true;
}

/* --- Results ---------------------------------------------------------------------------------- */

static bool set_number(napi_env env, napi_value object, const char *name, uint64_t number) {
  napi_value value;
  return check(env, napi_create_double(env, (double)number, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  return check(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool result_value(napi_env env, uint64_t bytes, const uint8_t hash[FILE_HASH_SIZE], napi_value *value) {
  char digits[2 * FILE_HASH_SIZE + 1];
  for (size_t i = 0; i < FILE_HASH_SIZE; i++) sprintf(digits + 2 * i, "%02x", hash[i]);
  return check(env, napi_create_object(env, value)) && set_number(env, *value, "bytes", bytes) &&
         set_text(env, *value, "checksum", digits);
}

static bool file_value(napi_env env, const struct followed_file *file, napi_value *value) {
  char name[32];
  snprintf(name, sizeof name, "pages-%u.img", file->number);
  return result_value(env, file->bytes, file->hash, value) && set_text(env, *value, "name", name) &&
         set_number(env, *value, "inode", file->inode);
}

static bool files_value(napi_env env, const struct page_follower *follower, napi_value *array) {
  size_t count = 0;
  const struct followed_file *files = follower ? page_follower_files(follower, &count) : NULL;
  if (!check(env, napi_create_array_with_length(env, count, array))) return false;
  for (size_t i = 0; i < count; i++) {
    napi_value value;
    if (!file_value(env, &files[i], &value) || !check(env, napi_set_element(env, *array, (uint32_t)i, value)))
      return false;
  }
  return true;
}

/* --- A file at once --------------------------------------------------------------------------- */

/* Returns NULL, or the call that has failed with errno. */
static const char *hash_file(struct file_hasher *hasher, int fd, struct result *result) {
  errno = ENOMEM;
  if (!file_hash_begin(hasher)) return "EVP_CipherInit_ex";
  int size;
  while ((size = file_hash_read(hasher, fd)) > 0) result->bytes += (uint64_t)size;
  if (size < 0) return "read";
  errno = ENOMEM;
  return file_hash_end(hasher, result->hash) ? NULL : "EVP_CipherFinal_ex";
}

static bool checksums_small(napi_env env, const struct call *call, napi_value *value) {
  struct checksums *checksums;
  double limit;
  char *path = NULL;
  if (!this_checksums(env, call, &checksums) || !get_string(env, call->arguments[0], &path) ||
      !check(env, napi_get_value_double(env, call->arguments[1], &limit))) {
    free(path);
    return false;
  }
  const char *failed = NULL;
  bool is_large = false;
  struct result result = {0};
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) failed = "open";
  else if (syscall(SYS_fstat, fd, &status) < 0) failed = "fstat"; /* glibc has the function since 2.33 */
  else if (!(is_large = (double)status.st_size > limit)) failed = hash_file(&checksums->hasher, fd, &result);
  int error = errno;
  if (fd >= 0) close(fd);
  if (failed) throw_errno(env, error, failed, path);
  free(path);
  return !failed && (is_large || result_value(env, result.bytes, result.hash, value));
}

/* --- On threads ------------------------------------------------------------------------------- */

struct request {
  napi_async_work work;
  napi_deferred deferred;
  napi_ref object; /* keeps the checksums while the request runs */
  struct checksums *checksums;
  char *path; /* NULL for what was followed */
  struct result result;
  int error;
  const char *failed_call;
};

static void free_request(napi_env env, struct request *request) {
  if (request->work) require_ok(napi_delete_async_work(env, request->work), "napi_delete_async_work");
  if (request->object) require_ok(napi_delete_reference(env, request->object), "napi_delete_reference");
  free(request->path);
  free(request);
}

static void read_file(struct request *request) {
  struct file_hasher hasher;
  int fd = open(request->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    request->failed_call = "open";
  } else if (!file_hasher_open(&hasher, &request->checksums->method)) {
    errno = ENOMEM;
    request->failed_call = "malloc";
  } else {
    request->failed_call = hash_file(&hasher, fd, &request->result);
    int error = errno;
    file_hasher_close(&hasher);
    errno = error;
  }
  request->error = errno;
  if (fd >= 0) close(fd);
}

static void run(napi_env env, void *data) {
  (void)env;
  struct request *request = data;
  if (request->path) read_file(request);
  else page_follower_finish(request->checksums->follower);
}

static bool request_value(napi_env env, const struct request *request, napi_value *value) {
  return request->path ? result_value(env, request->result.bytes, request->result.hash, value)
                       : files_value(env, request->checksums->follower, value);
}

static void settle(napi_env env, napi_status status, void *data) {
  struct request *request = data;
  napi_value value;
  if (!request->path) request->checksums->is_finishing = false;
  if (status == napi_cancelled) request->error = ECANCELED, request->failed_call = "read";
  /* These fail only in an environment that is ending, where no JavaScript runs any more. */
  if (!request->failed_call && request_value(env, request, &value)) {
    (void)napi_resolve_deferred(env, request->deferred, value);
  } else {
    if (request->failed_call) throw_errno(env, request->error, request->failed_call, request->path);
    if (napi_get_and_clear_last_exception(env, &value) == napi_ok)
      (void)napi_reject_deferred(env, request->deferred, value);
  }
  free_request(env, request);
}

/* Takes the path. */
static bool start(napi_env env, const struct call *call, struct checksums *checksums, char *path,
                  napi_value *result) {
  struct request *request = calloc(1, sizeof *request);
  napi_value name;
  if (!request) {
    free(path);
    return throw_errno(env, ENOMEM, "calloc", NULL);
  }
  request->checksums = checksums;
  request->path = path;
  if (check(env, napi_create_string_utf8(env, "CRIU_CHECKSUM", NAPI_AUTO_LENGTH, &name)) &&
      check(env, napi_create_async_work(env, NULL, name, run, settle, request, &request->work)) &&
      check(env, napi_create_reference(env, call->receiver, 1, &request->object)) &&
      check(env, napi_create_promise(env, &request->deferred, result)) &&
      check(env, napi_queue_async_work(env, request->work)))
    return true;
  free_request(env, request);
  return false;
}

static bool checksums_file(napi_env env, const struct call *call, napi_value *result) {
  struct checksums *checksums;
  char *path = NULL;
  if (!this_checksums(env, call, &checksums)) return false;
  if (get_string(env, call->arguments[0], &path)) return start(env, call, checksums, path, result);
  free(path);
  return false;
}

static bool checksums_follow(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct checksums *checksums;
  char *path = NULL;
  if (!this_checksums(env, call, &checksums)) return false;
  if (checksums->follower) return throw_type(env, "follows a directory already");
  if (!get_string(env, call->arguments[0], &path)) {
    free(path);
    return false;
  }
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const char *failed = directory < 0 ? "open" : NULL;
  if (!failed && !(checksums->follower = page_follower_start(directory, &checksums->method)))
    failed = "pthread_create";
  int error = errno;
  if (failed) throw_errno(env, error, failed, path);
  free(path);
  return !failed;
}

static bool checksums_followed(napi_env env, const struct call *call, napi_value *result) {
  struct checksums *checksums;
  if (!this_checksums(env, call, &checksums)) return false;
  if (!checksums->follower) return throw_type(env, "follows no directory");
  if (checksums->is_finishing) return throw_type(env, "is asked already");
  return checksums->is_finishing = start(env, call, checksums, NULL, result);
}

static bool checksums_close(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct checksums *checksums;
  if (!this_checksums(env, call, &checksums)) return false;
  /* A request that waits for the follower needs it. */
  if (!checksums->follower || checksums->is_finishing) return true;
  page_follower_free(checksums->follower);
  checksums->follower = NULL;
  return true;
}

bool js_checksums(napi_env env, const struct call *call, napi_value *result) {
  static const struct method methods[] = {
      {"small", checksums_small},       {"file", checksums_file},   {"follow", checksums_follow},
      {"followed", checksums_followed}, {"close", checksums_close},
  };
  void *key, *iv;
  size_t key_size, iv_size;
  if (!get_bytes(env, call->arguments[0], &key, &key_size) || !get_bytes(env, call->arguments[1], &iv, &iv_size))
    return false;
  if (key_size != FILE_KEY_SIZE || iv_size != FILE_IV_SIZE) return throw_type(env, "expected 16 and 12 bytes");
  if (!has_openssl()) return throw_errno(env, ENOSYS, "EVP_CipherInit_ex", NULL);
  struct checksums *checksums = calloc(1, sizeof *checksums);
  if (!checksums) return throw_errno(env, ENOMEM, "calloc", NULL);
  memcpy(checksums->method.key, key, key_size);
  memcpy(checksums->method.iv, iv, iv_size);
  if (!file_hasher_open(&checksums->hasher, &checksums->method)) {
    free(checksums);
    return throw_errno(env, ENOMEM, "EVP_CipherInit_ex", NULL);
  }
  if (check(env, napi_create_object(env, result)) &&
      define_methods(env, *result, methods, sizeof methods / sizeof *methods) &&
      check(env, napi_type_tag_object(env, *result, &checksums_tag)) &&
      check(env, napi_wrap(env, *result, checksums, on_collected, NULL, NULL)))
    return true;
  free_checksums(checksums);
  return false;
}
