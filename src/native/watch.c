/* Readiness of a descriptor, reported through the event loop of the calling thread. */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

/* Two owners share a watch: libuv until its close callback runs, and the JavaScript object until it
 * is collected. The last owner frees it, so the order of the two does not matter. */
struct watch {
  uv_poll_t poll;
  bool in_loop, in_js;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
};

/* Random: tells a watch from the wrapped objects of other addons. */
static const napi_type_tag watch_tag = {0x6e6f64652d637269, 0x752f776174636801};

static void free_if_unused(struct watch *watch) {
  if (!watch->in_loop && !watch->in_js) free(watch);
}

static void release_references(struct watch *watch) {
  if (watch->callback)
    require_ok(napi_delete_reference(watch->env, watch->callback), "napi_delete_reference");
  if (watch->context)
    require_ok(napi_async_destroy(watch->env, watch->context), "napi_async_destroy");
  /* Last, because an environment that is ending waits until its hooks are removed. */
  if (watch->hook)
    require_ok(napi_remove_async_cleanup_hook(watch->hook), "napi_remove_async_cleanup_hook");
}

static void on_closed(uv_handle_t *handle) {
  struct watch *watch = handle->data;
  release_references(watch);
  watch->in_loop = false;
  free_if_unused(watch);
}

static bool is_open(const struct watch *watch) {
  return watch->in_loop && !uv_is_closing((const uv_handle_t *)&watch->poll);
}

static void stop(struct watch *watch) {
  if (is_open(watch)) uv_close((uv_handle_t *)&watch->poll, on_closed);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  stop(data);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct watch *watch = data;
  watch->in_js = false;
  free_if_unused(watch);
}

/* Throws what the callback throws. */
static bool run_callback(struct watch *watch) {
  napi_env env = watch->env;
  napi_value callback, global;
  return check(env, napi_get_reference_value(env, watch->callback, &callback)) &&
         check(env, napi_get_global(env, &global)) &&
         check(env, napi_make_callback(env, watch->context, global, callback, 0, NULL, NULL));
}

static bool start(struct watch *watch);

static void on_ready(uv_poll_t *poll, int status, int events) {
  (void)events;
  struct watch *watch = poll->data;
  napi_env env = watch->env;
  napi_handle_scope scope;
  require_ok(napi_open_handle_scope(env, &scope), "napi_open_handle_scope");
  /* libuv stops polling on EPOLLERR. The error can be a pending ECONNRESET, which receive() reports
   * before it returns the packets that are still queued, so polling must go on. */
  if ((status < 0 && !start(watch)) || !run_callback(watch)) report_exception(env);
  require_ok(napi_close_handle_scope(env, scope), "napi_close_handle_scope");
}

static bool start(struct watch *watch) {
  int status = uv_poll_start(&watch->poll, UV_READABLE | UV_DISCONNECT, on_ready);
  return status == 0 || throw_errno(watch->env, -status, "uv_poll_start", NULL);
}

/* --- The JavaScript object -------------------------------------------------------------------- */

static bool this_watch(napi_env env, const struct call *call, struct watch **watch) {
  bool is_watch = false;
  void *data;
  if (napi_check_object_type_tag(env, call->receiver, &watch_tag, &is_watch) != napi_ok ||
      !is_watch)
    return throw_type(env, "not a watch");
  if (!check(env, napi_unwrap(env, call->receiver, &data))) return false;
  *watch = data;
  return true;
}

static bool watch_close(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct watch *watch;
  if (!this_watch(env, call, &watch)) return false;
  stop(watch);
  return true;
}

static bool watch_pause(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct watch *watch;
  if (!this_watch(env, call, &watch)) return false;
  if (is_open(watch)) uv_poll_stop(&watch->poll);
  return true;
}

static bool watch_resume(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct watch *watch;
  if (!this_watch(env, call, &watch)) return false;
  return !is_open(watch) || start(watch);
}

static bool watch_ref(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct watch *watch;
  if (!this_watch(env, call, &watch)) return false;
  if (watch->in_loop) uv_ref((uv_handle_t *)&watch->poll);
  return true;
}

static bool watch_unref(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct watch *watch;
  if (!this_watch(env, call, &watch)) return false;
  if (watch->in_loop) uv_unref((uv_handle_t *)&watch->poll);
  return true;
}

static bool watch_object(napi_env env, struct watch *watch, napi_value *object) {
  static const struct method methods[] = {
      {"close", watch_close},
      {"pause", watch_pause},
      {"resume", watch_resume},
      {"ref", watch_ref},
      {"unref", watch_unref},
  };
  if (!check(env, napi_create_object(env, object)) ||
      !define_methods(env, *object, methods, sizeof methods / sizeof *methods) ||
      !check(env, napi_type_tag_object(env, *object, &watch_tag)) ||
      !check(env, napi_wrap(env, *object, watch, on_collected, NULL, NULL)))
    return false;
  watch->in_js = true;
  return true;
}

static bool create_references(napi_env env, struct watch *watch, napi_value callback) {
  napi_value name;
  return check(env, napi_create_string_utf8(env, "CRIU_WATCH", NAPI_AUTO_LENGTH, &name)) &&
         check(env, napi_async_init(env, NULL, name, &watch->context)) &&
         check(env, napi_create_reference(env, callback, 1, &watch->callback)) &&
         check(env, napi_add_async_cleanup_hook(env, on_environment_end, watch, &watch->hook));
}

bool js_watch(napi_env env, const struct call *call, napi_value *result) {
  napi_value callback = call->arguments[1];
  napi_valuetype type;
  int fd;
  uv_loop_t *loop;
  if (!get_int(env, call->arguments[0], &fd) || !check(env, napi_typeof(env, callback, &type)))
    return false;
  if (type != napi_function) return throw_type(env, "expected a function");
  if (!check(env, napi_get_uv_event_loop(env, &loop))) return false;

  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch) return throw_errno(env, ENOMEM, "calloc", NULL);
  watch->env = env;
  /* Fails with EPERM for what cannot be polled, and with EEXIST for what is already watched. */
  int status = uv_poll_init(loop, &watch->poll, fd);
  if (status < 0) {
    free(watch);
    return throw_errno(env, -status, "uv_poll_init", NULL);
  }
  watch->poll.data = watch;
  watch->in_loop = true;
  if (create_references(env, watch, callback) && watch_object(env, watch, result) && start(watch))
    return true;
  stop(watch);
  return false;
}
