/* Writes the files of a directory to the disk, on a thread of libuv. */
#include "addon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sync_request {
  napi_async_work work;
  napi_deferred deferred;
  char *path;
  /* Set by the thread if a call has failed. */
  int error;
  const char *failed_call;
};

static void fail(struct sync_request *request, const char *call) {
  request->error = errno;
  request->failed_call = call;
}

/* Opens the next regular file; returns -1 after the last one and after a failure. */
static int next_file(DIR *directory, struct sync_request *request) {
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(directory);
    if (!entry) {
      if (errno) fail(request, "readdir");
      return -1;
    }
    if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) continue;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    int fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) fail(request, "openat");
    return fd;
  }
}

static void sync_files(DIR *directory, struct sync_request *request) {
  int fd;
  /* First let the disk begin with all files: their fsync then shares one commit of the journal. Errors are
   * reported by fsync as well. */
  while ((fd = next_file(directory, request)) >= 0) {
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    close(fd);
  }
  rewinddir(directory);
  while (!request->error && (fd = next_file(directory, request)) >= 0) {
    if (fsync(fd) < 0) fail(request, "fsync");
    close(fd);
  }
  if (!request->error && fsync(dirfd(directory)) < 0) fail(request, "fsync");
}

static void run(napi_env env, void *data) {
  (void)env;
  struct sync_request *request = data;
  DIR *directory = opendir(request->path);
  if (!directory) {
    fail(request, "opendir");
    return;
  }
  sync_files(directory, request);
  closedir(directory);
}

static void free_request(napi_env env, struct sync_request *request) {
  if (request->work) require_ok(napi_delete_async_work(env, request->work), "napi_delete_async_work");
  free(request->path);
  free(request);
}

static void settle(napi_env env, napi_status status, void *data) {
  struct sync_request *request = data;
  napi_value value;
  if (status == napi_cancelled) request->error = ECANCELED, request->failed_call = "fsync";
  /* These fail only in an environment that is ending, where no JavaScript runs any more. */
  if (!request->error) {
    if (napi_get_undefined(env, &value) == napi_ok)
      (void)napi_resolve_deferred(env, request->deferred, value);
  } else {
    throw_errno(env, request->error, request->failed_call, request->path);
    if (napi_get_and_clear_last_exception(env, &value) == napi_ok)
      (void)napi_reject_deferred(env, request->deferred, value);
  }
  free_request(env, request);
}

bool js_sync_files(napi_env env, const struct call *call, napi_value *result) {
  struct sync_request *request = calloc(1, sizeof *request);
  if (!request) return throw_errno(env, ENOMEM, "calloc", NULL);
  napi_value name;
  if (get_string(env, call->arguments[0], &request->path) &&
      check(env, napi_create_string_utf8(env, "CRIU_SYNC", NAPI_AUTO_LENGTH, &name)) &&
      check(env, napi_create_async_work(env, NULL, name, run, settle, request, &request->work)) &&
      check(env, napi_create_promise(env, &request->deferred, result)) &&
      check(env, napi_queue_async_work(env, request->work)))
    return true;
  free_request(env, request);
  return false;
}
