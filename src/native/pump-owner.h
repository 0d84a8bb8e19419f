/* What an environment owns of a pump, and its end together with that of the environment. */
#pragma once

#include "addon.h"
#include "pump.h"

#include <pthread.h>
#include <uv.h>

/* Two owners share it, as a watch (see watch.c): the loop, and the JavaScript object. */
struct owned_pump {
  struct pump pump; /* must be the first */
  uv_async_t async;
  bool in_loop, in_js;
  pthread_t thread;
  bool has_thread;
  struct owned_pump *next; /* in the list of those that have a thread */
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
};

/* Sets the handle of the loop up. Returns an error of libuv, or 0. */
int join_loop(struct owned_pump *owned, uv_loop_t *loop);
bool create_references(struct owned_pump *owned, napi_value callback);
/* From the start of the thread on, the pump owns its two sockets. Returns an errno, or 0. */
int start_thread(struct owned_pump *owned);

/* Ends the thread's part: only the memory of the two owners is left. The thread must be done, or was never
 * started. Idempotent. */
void release_thread(struct owned_pump *owned);
void leave_loop(struct owned_pump *owned);
void free_if_unused(struct owned_pump *owned);
