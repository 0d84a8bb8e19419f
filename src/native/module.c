/* The module that Node loads: the table of its methods, and the way from Node-API to each. */
#include "addon.h"

#include "openssl.h"

#include <unistd.h>

static const struct method methods[] = {
    {"socketpair", js_socketpair},
    {"connect", js_connect},
    {"streamPair", js_stream_pair},
    {"pipe", js_pipe},
    {"listen", js_listen},
    {"accept", js_accept},
    {"setPipeSize", js_set_pipe_size},
    {"signalAtEnd", js_signal_at_end},
    {"send", js_send},
    {"receive", js_receive},
    {"watch", js_watch},
    {"setBlocking", js_set_blocking},
    {"spawn", js_spawn},
    {"pidfdOpen", js_pidfd_open},
    {"pidfdSendSignal", js_pidfd_send_signal},
    {"pidfdGetfd", js_pidfd_getfd},
    {"setForeground", js_set_foreground},
    {"wait", js_wait},
    {"netlink", js_netlink},
    {"tcpSocket", js_tcp_socket},
    {"newNetwork", js_new_network},
    {"raiseLoopback", js_raise_loopback},
    {"packetSocket", js_packet_socket},
    {"endTcpRepair", js_end_tcp_repair},
    {"openByHandle", js_open_by_handle},
    {"getAttribute", js_get_attribute},
    {"makeNode", js_make_node},
    {"memoryDirectory", js_memory_directory},
    {"attributes", js_attributes},
    {"setAttribute", js_set_attribute},
    {"tryLock", js_try_lock},
    {"exchange", js_exchange},
    {"syncFiles", js_sync_files},
    {"pump", js_pump},
    {"memoryCopy", js_memory_copy},
    {"awaitReadable", js_await_readable},
    {"sendAll", js_send_all},
    {"duplicate", js_duplicate},
    {"reseed", js_reseed},
    {"pendingRequests", js_pending_requests},
    {"setHostname", js_set_hostname},
    {"checksums", js_checksums},
    {"close", js_close},
    {"release", js_release},
};

/* Calls the method that the callback's data describes. Returns NULL only after a throw. */
static napi_value invoke(napi_env env, napi_callback_info info) {
  struct call call;
  size_t count = MAX_ARGUMENTS;
  void *data;
  napi_value result;
  if (!check(env, napi_get_cb_info(env, info, &count, call.arguments, &call.receiver, &data)) ||
      !check(env, napi_get_undefined(env, &result)))
    return NULL;
  const struct method *method = data;
  return method->function(env, &call, &result) ? result : NULL;
}

bool define_methods(napi_env env, napi_value object, const struct method *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const napi_property_descriptor property = {
        .utf8name = table[i].name,
        .method = invoke,
        .attributes = napi_enumerable,
        .data = (void *)&table[i],
    };
    if (!check(env, napi_define_properties(env, object, 1, &property))) return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  napi_value page_size, openssl;
  if (!open_handles(env) ||
      !define_methods(env, exports, methods, sizeof methods / sizeof *methods) ||
      !check(env, napi_create_double(env, (double)sysconf(_SC_PAGESIZE), &page_size)) ||
      !check(env, napi_set_named_property(env, exports, "pageSize", page_size)) ||
      !check(env, napi_get_boolean(env, has_openssl(), &openssl)) ||
      !check(env, napi_set_named_property(env, exports, "hasOpenSsl", openssl)))
    return NULL;
  return exports;
}
