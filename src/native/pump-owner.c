/* See pump-owner.h. */
#include "pump-owner.h"
#include "threads.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* --- Threads ---------------------------------------------------------------------------------- */

/* The pumps that have a thread, of all environments. */
static struct owned_pump *threads;
static pthread_mutex_t threads_mutex = PTHREAD_MUTEX_INITIALIZER;

/* Idempotent. The caller holds the mutex, which no pump needs. */
static void join_thread(struct owned_pump *owned) {
  if (!owned->has_thread) return;
  pthread_join(owned->thread, NULL);
  owned->has_thread = false;
  struct owned_pump **link = &threads;
  while (*link != owned) link = &(*link)->next;
  *link = owned->next;
}

static void abandon(struct owned_pump *owned) {
  owned->pump.order = ABANDON;
  wake_pump(&owned->pump);
}

/* process.exit() ends no environment, but it runs the exit handlers of OpenSSL, which no thread must
 * use any more by then. Handlers run in reverse order, so this one is before that of OpenSSL. */
static void join_all(void) {
  pthread_mutex_lock(&threads_mutex);
  for (struct owned_pump *owned = threads; owned; owned = owned->next) abandon(owned);
  while (threads) join_thread(threads);
  pthread_mutex_unlock(&threads_mutex);
}

int start_thread(struct owned_pump *owned) {
  static bool is_registered;
  pthread_mutex_lock(&threads_mutex);
  int error = is_registered || atexit(join_all) == 0 ? 0 : ENOMEM;
  is_registered = is_registered || !error;
  if (!error) error = create_thread(&owned->thread, NULL, run_pump, &owned->pump);
  if (!error) {
    owned->has_thread = true;
    owned->next = threads;
    threads = owned;
  }
  pthread_mutex_unlock(&threads_mutex);
  return error;
}

/* --- The end ---------------------------------------------------------------------------------- */

void free_if_unused(struct owned_pump *owned) {
  if (!owned->in_loop && !owned->in_js) free(owned);
}

void release_thread(struct owned_pump *owned) {
  struct pump *pump = &owned->pump;
  pthread_mutex_lock(&threads_mutex);
  join_thread(owned);
  pthread_mutex_unlock(&threads_mutex);
  int *const fds[] = {&pump->local, &pump->peer, &pump->wake};
  for (size_t i = 0; i < 3; i++) {
    if (*fds[i] >= 0) close(*fds[i]);
    *fds[i] = -1;
  }
  free_keys(&pump->seal);
  free_keys(&pump->open);
  free_buffers(pump);
}

static void on_closed(uv_handle_t *handle) {
  struct owned_pump *owned = handle->data;
  napi_env env = owned->env;
  if (owned->callback)
    require_ok(napi_delete_reference(env, owned->callback), "napi_delete_reference");
  if (owned->context) require_ok(napi_async_destroy(env, owned->context), "napi_async_destroy");
  /* Last, because an environment that is ending waits until its hooks are removed. */
  if (owned->hook)
    require_ok(napi_remove_async_cleanup_hook(owned->hook), "napi_remove_async_cleanup_hook");
  owned->in_loop = false;
  free_if_unused(owned);
}

void leave_loop(struct owned_pump *owned) {
  uv_handle_t *handle = (uv_handle_t *)&owned->async;
  if (owned->in_loop && !uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  struct owned_pump *owned = data;
  if (owned->pump.wake >= 0) abandon(owned);
  release_thread(owned);
  leave_loop(owned);
}

/* --- Notifications ---------------------------------------------------------------------------- */

static void notify(struct pump *pump) {
  uv_async_send(&((struct owned_pump *)pump)->async);
}

static bool run_callback(struct owned_pump *owned) {
  napi_env env = owned->env;
  napi_value callback, global;
  return check(env, napi_get_reference_value(env, owned->callback, &callback)) &&
         check(env, napi_get_global(env, &global)) &&
         check(env, napi_make_callback(env, owned->context, global, callback, 0, NULL, NULL));
}

static void on_notified(uv_async_t *async) {
  struct owned_pump *owned = async->data;
  if (owned->pump.is_done) {
    release_thread(owned);
    leave_loop(owned);
  }
  napi_handle_scope scope;
  require_ok(napi_open_handle_scope(owned->env, &scope), "napi_open_handle_scope");
  if (!run_callback(owned)) report_exception(owned->env);
  require_ok(napi_close_handle_scope(owned->env, scope), "napi_close_handle_scope");
}

/* --- The start -------------------------------------------------------------------------------- */

int join_loop(struct owned_pump *owned, uv_loop_t *loop) {
  int status = uv_async_init(loop, &owned->async, on_notified);
  owned->pump.notify = notify;
  owned->async.data = owned;
  owned->in_loop = status == 0;
  return status;
}

bool create_references(struct owned_pump *owned, napi_value callback) {
  napi_env env = owned->env;
  napi_value name;
  return check(env, napi_create_string_utf8(env, "CRIU_PUMP", NAPI_AUTO_LENGTH, &name)) &&
         check(env, napi_async_init(env, NULL, name, &owned->context)) &&
         check(env, napi_create_reference(env, callback, 1, &owned->callback)) &&
         check(env, napi_add_async_cleanup_hook(env, on_environment_end, owned, &owned->hook));
}
