/* Shared by the addon's parts. A function that returns false or NULL has thrown already. */
#pragma once

#define _GNU_SOURCE
#define NAPI_VERSION 8

#include <node_api.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Named by its number: libcs older than the kernel's interface lack the name. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* addon.c: arguments. */
bool get_arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);
bool get_int(napi_env env, napi_value value, int *result);
bool get_bytes(napi_env env, napi_value value, void **data, size_t *size);

/* addon.c: errors, as Node's own look. Both return NULL, that is false: `return throw_…`. */
napi_value throw_errno(napi_env env, int error, const char *syscall, const char *path);
napi_value throw_type(napi_env env, const char *message);

/* addon.c: what this environment holds, and gives back to the system when it ends. */
void hold(napi_env env, int fd, pid_t child);
bool drop(napi_env env, int fd);
void forget_child(napi_env env, pid_t pid);
void disown_child(napi_env env, int pidfd);
napi_value fd_value(napi_env env, int fd);

/* channel.c */
napi_value js_socketpair(napi_env env, napi_callback_info info);
napi_value js_connect(napi_env env, napi_callback_info info);
napi_value js_stream_pair(napi_env env, napi_callback_info info);
napi_value js_pipe(napi_env env, napi_callback_info info);
napi_value js_send(napi_env env, napi_callback_info info);
napi_value js_receive(napi_env env, napi_callback_info info);
napi_value js_watch(napi_env env, napi_callback_info info);
napi_value js_set_blocking(napi_env env, napi_callback_info info);

/* spawn.c and process.c */
napi_value js_spawn(napi_env env, napi_callback_info info);
napi_value js_pidfd_open(napi_env env, napi_callback_info info);
napi_value js_pidfd_send_signal(napi_env env, napi_callback_info info);
napi_value js_pidfd_getfd(napi_env env, napi_callback_info info);
napi_value js_wait(napi_env env, napi_callback_info info);
void reap_later(pid_t pid);

/* inspect.c */
napi_value js_netlink(napi_env env, napi_callback_info info);
napi_value js_end_tcp_repair(napi_env env, napi_callback_info info);
napi_value js_open_by_handle(napi_env env, napi_callback_info info);
napi_value js_get_attribute(napi_env env, napi_callback_info info);
