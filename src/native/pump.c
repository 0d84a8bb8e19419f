/* The JavaScript object of a pump. */
#include "openssl.h"
#include "pump-owner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

static const napi_type_tag pump_tag = {0x6e6f64652d637269, 0x752f70756d700001};

/* --- Its methods ------------------------------------------------------------------------------ */

static bool this_pump(napi_env env, const struct call *call, struct pump **pump) {
  bool is_pump = false;
  void *data;
  if (napi_check_object_type_tag(env, call->receiver, &pump_tag, &is_pump) != napi_ok || !is_pump)
    return throw_type(env, "not a pump");
  if (!check(env, napi_unwrap(env, call->receiver, &data))) return false;
  *pump = data;
  return true;
}

static bool pump_stop(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct pump *pump;
  if (!this_pump(env, call, &pump)) return false;
  if (pump->order == RUN) pump->order = CLOSE;
  if (pump->wake >= 0) wake_pump(pump);
  return true;
}

static bool get_bytes_count(napi_env env, napi_value value, int64_t *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0))
    return throw_type(env, "expected a number of bytes");
  *result = number < 0x1p62 ? (int64_t)number : INT64_MAX;
  return true;
}

static bool set_limit(napi_env env, const struct call *call, struct pump *pump,
                      struct limit *limit) {
  int64_t allowed = 0, notify_at = 0;
  if (!get_bytes_count(env, call->arguments[0], &allowed) ||
      !get_bytes_count(env, call->arguments[1], &notify_at))
    return false;
  limit->notify_at = notify_at;
  limit->allowed = allowed;
  if (pump->wake >= 0) wake_pump(pump);
  return true;
}

static bool pump_limit_sending(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct pump *pump;
  return this_pump(env, call, &pump) && set_limit(env, call, pump, &pump->send);
}

static bool pump_limit_receiving(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  struct pump *pump;
  return this_pump(env, call, &pump) && set_limit(env, call, pump, &pump->receive);
}

static bool set_number(napi_env env, napi_value object, const char *name, int64_t number) {
  napi_value value;
  return check(env, napi_create_double(env, (double)number, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool set_failure(napi_env env, napi_value object, const struct pump *pump) {
  napi_value failure;
  if (!pump->has_ended || !pump->failure) return true;
  return check(env, napi_create_string_utf8(env, pump->failure, NAPI_AUTO_LENGTH, &failure)) &&
         check(env, napi_set_named_property(env, object, "failure", failure)) &&
         set_number(env, object, "errno", pump->error);
}

static bool set_flag(napi_env env, napi_value object, const char *name, bool flag) {
  napi_value value;
  return check(env, napi_get_boolean(env, flag, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool pump_state(napi_env env, const struct call *call, napi_value *result) {
  struct pump *pump;
  return this_pump(env, call, &pump) && check(env, napi_create_object(env, result)) &&
         set_number(env, *result, "sent", pump->sent) &&
         set_number(env, *result, "received", pump->received) &&
         set_number(env, *result, "written", pump->written) &&
         set_number(env, *result, "pending", pump->pending) &&
         set_flag(env, *result, "hasEnded", pump->has_ended) &&
         set_flag(env, *result, "isDone", pump->is_done) && set_failure(env, *result, pump);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  struct owned_pump *owned = data;
  owned->in_js = false;
  free_if_unused(owned);
}

static bool pump_object(napi_env env, struct owned_pump *owned, napi_value *object) {
  static const struct method methods[] = {
      {"state", pump_state},
      {"limitSending", pump_limit_sending},
      {"limitReceiving", pump_limit_receiving},
      {"stop", pump_stop},
  };
  if (!check(env, napi_create_object(env, object)) ||
      !define_methods(env, *object, methods, sizeof methods / sizeof *methods) ||
      !check(env, napi_type_tag_object(env, *object, &pump_tag)) ||
      !check(env, napi_wrap(env, *object, owned, on_collected, NULL, NULL)))
    return false;
  owned->in_js = true;
  return true;
}

/* --- Start ------------------------------------------------------------------------------------ */

/* Keys are the key itself, the 12 bytes of the IV, and the sequence number in 8 bytes, the highest
 * first. */
static bool get_keys(napi_env env, napi_value value, const char *cipher, bool seals,
                     struct record_keys *keys) {
  void *data;
  size_t size;
  if (!get_bytes(env, value, &data, &size)) return false;
  size_t key_size = size - sizeof keys->iv - 8;
  const unsigned char *key = data;
  if (size < sizeof keys->iv + 8 || !init_keys(keys, cipher, key, key_size, seals))
    return throw_type(env, "not the keys of this cipher");
  memcpy(keys->iv, key + key_size, sizeof keys->iv);
  for (size_t i = 0; i < 8; i++)
    keys->sequence = keys->sequence << 8 | key[key_size + sizeof keys->iv + i];
  return true;
}

static bool get_tls(napi_env env, napi_value name, napi_value send, napi_value receive,
                    struct pump *pump) {
  char *cipher = NULL;
  if (!has_openssl()) return throw_errno(env, ENOSYS, "EVP_CipherInit_ex", NULL);
  pump->is_tls = get_string(env, name, &cipher) &&
                 get_keys(env, send, cipher, true, &pump->seal) &&
                 get_keys(env, receive, cipher, false, &pump->open);
  free(cipher);
  return pump->is_tls;
}

static bool get_request(napi_env env, napi_value value, struct pump *pump) {
  enum { LOCAL, PEER, EARLY, UNREAD, CIPHER, SEND, RECEIVE, PROPERTIES };
  static const char *const names[PROPERTIES] = {"local",  "peer",     "early",      "unread",
                                                "cipher", "sendKeys", "receiveKeys"};
  napi_value values[PROPERTIES];
  bool is_tls;
  void *early, *unread;
  size_t early_size, unread_size;
  for (int i = 0; i < PROPERTIES; i++)
    if (!check(env, napi_get_named_property(env, value, names[i], &values[i]))) return false;
  if (!is_given(env, values[CIPHER], &is_tls) ||
      (is_tls && !get_tls(env, values[CIPHER], values[SEND], values[RECEIVE], pump)) ||
      !get_int(env, values[LOCAL], &pump->local) || !get_int(env, values[PEER], &pump->peer) ||
      !get_bytes(env, values[EARLY], &early, &early_size) ||
      !get_bytes(env, values[UNREAD], &unread, &unread_size))
    return false;
  return (allocate_buffers(pump, unread, unread_size) && add_early(pump, early, early_size)) ||
         throw_errno(env, ENOMEM, "malloc", NULL);
}

/* From the start of the thread on, the pump owns the two descriptors. */
static bool start(napi_env env, struct owned_pump *owned) {
  int error = start_thread(owned);
  if (error) return throw_errno(env, error, "pthread_create", NULL);
  untrack_fd(env, owned->pump.local);
  untrack_fd(env, owned->pump.peer);
  return true;
}

bool js_pump(napi_env env, const struct call *call, napi_value *result) {
  napi_valuetype type;
  uv_loop_t *loop;
  if (!check(env, napi_typeof(env, call->arguments[1], &type))) return false;
  if (type != napi_function) return throw_type(env, "expected a function");
  if (!check(env, napi_get_uv_event_loop(env, &loop))) return false;

  struct owned_pump *owned = calloc(1, sizeof *owned);
  if (!owned) return throw_errno(env, ENOMEM, "calloc", NULL);
  struct pump *pump = &owned->pump;
  owned->env = env;
  pump->send.notify_at = pump->receive.notify_at = INT64_MAX;
  pump->local = pump->peer = -1;
  pump->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int status = pump->wake < 0 ? -errno : join_loop(owned, loop);
  if (status == 0) {
    if (get_request(env, call->arguments[0], pump) &&
        create_references(owned, call->arguments[1]) && pump_object(env, owned, result) &&
        start(env, owned))
      return true;
  } else {
    throw_errno(env, -status, pump->wake < 0 ? "eventfd" : "uv_async_init", NULL);
  }
  /* The descriptors still belong to the caller. */
  pump->local = pump->peer = -1;
  release_thread(owned);
  leave_loop(owned);
  free_if_unused(owned);
  return false;
}
