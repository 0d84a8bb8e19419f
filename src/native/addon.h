/*
 * Declarations that the parts of the addon share.
 *
 * A function that returns bool returns true on success, with its results in out parameters, and
 * false after it has thrown a JavaScript exception. Only invoke() in module.c turns this into the
 * NULL that Node-API expects from a callback that throws.
 */
#pragma once

#define _GNU_SOURCE
#define NAPI_VERSION 8

#include <node_api.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Some C libraries are older than these system calls; the numbers are the same on all CPUs. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* --- module.c: methods ------------------------------------------------------------------------ */

#define MAX_ARGUMENTS 3

/* A call from JavaScript. Arguments that the caller omits are undefined. */
struct call {
  napi_value receiver; /* `this` */
  napi_value arguments[MAX_ARGUMENTS];
};

/* The implementation of a method. *result is undefined unless the method sets it. */
typedef bool method_function(napi_env env, const struct call *call, napi_value *result);

/* Node-API keeps a pointer to each struct method, so the array must be static. */
struct method {
  const char *name;
  method_function *function;
};

bool define_methods(napi_env env, napi_value object, const struct method *methods, size_t count);

/* --- arguments.c: arguments ------------------------------------------------------------------- */

bool get_int(napi_env env, napi_value value, int *result);
/* *result must be NULL before; the caller frees it, also after a failure. */
bool get_string(napi_env env, napi_value value, char **result);
/* The bytes belong to JavaScript: they are valid until JavaScript code runs. */
bool get_bytes(napi_env env, napi_value value, void **data, size_t *size);
bool is_given(napi_env env, napi_value value, bool *result);

/* --- errors.c: exceptions --------------------------------------------------------------------- */

/* True if a Node-API call succeeded; otherwise throws and returns false. */
bool check(napi_env env, napi_status status);
/* For calls that fail only if the addon itself is wrong: ends the process. */
void require_ok(napi_status status, const char *call);

/* Each throws and returns false, so that a caller can write `return throw_type(…)`. */
bool throw_errno(napi_env env, int error, const char *syscall, const char *path);
bool throw_type(napi_env env, const char *message);
/* For callbacks of the event loop, which have no JavaScript caller. */
void report_exception(napi_env env);

/* --- handles.c: what an environment owns ------------------------------------------------------ */

bool open_handles(napi_env env);
/* Makes room for more handles, so that the next calls of track() cannot fail. */
bool reserve_handles(napi_env env, size_t count);
void track(napi_env env, int fd, pid_t child);
bool untrack_fd(napi_env env, int fd);
void untrack_child(napi_env env, pid_t pid);
void disown_child(napi_env env, int pidfd);
/* Hands a new descriptor to JavaScript; closes it on failure. */
bool return_fd(napi_env env, int fd, napi_value *result);

method_function js_close, js_release;

/* --- process.c -------------------------------------------------------------------------------- */

method_function js_pidfd_open, js_pidfd_send_signal, js_pidfd_getfd, js_set_foreground, js_wait;
/* Reaps a child when it ends, on a thread of its own if it still runs. */
void reap_later(pid_t pid);

/* --- channel.c -------------------------------------------------------------------------------- */

/* The first end is for this process and does not block; the second end is for another process. */
bool return_nonblocking_pair(napi_env env, const int pair[2], napi_value *result);

method_function js_socketpair, js_connect, js_pipe;

/* --- network.c, listener.c, watch.c, spawn.c, inspect.c, exchange.c, durable.c, pump.c, memory-copy.c, guest.c,
 * checksums.c and nodes.c */

method_function js_stream_pair;
method_function js_listen, js_accept, js_set_pipe_size;
method_function js_send, js_receive, js_set_blocking, js_signal_at_end;
method_function js_watch;
method_function js_spawn;
method_function js_netlink, js_tcp_socket, js_new_network, js_packet_socket;
method_function js_netlink, js_tcp_socket, js_raise_loopback, js_packet_socket;
method_function js_end_tcp_repair, js_open_by_handle, js_get_attribute, js_try_lock;
method_function js_exchange;
method_function js_sync_files;
method_function js_pump;
method_function js_memory_copy;
method_function js_await_readable, js_send_all, js_duplicate, js_reseed;
method_function js_pending_requests, js_set_hostname;
method_function js_checksums;
method_function js_make_node, js_attributes, js_set_attribute, js_memory_directory;
