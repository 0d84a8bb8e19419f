/* A file system in memory that is mounted nowhere. */
#include "addon.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Older C libraries lack the numbers, which all architectures have in common, and the constants. */
enum {
  FSOPEN = 430,
  FSCONFIG = 431,
  FSMOUNT = 432,
  CLOSE_ON_EXEC = 1,    /* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC */
  SET_STRING = 1,       /* FSCONFIG_SET_STRING */
  CREATE = 6,           /* FSCONFIG_CMD_CREATE */
  NO_SUID = 2,          /* MOUNT_ATTR_NOSUID */
  NO_DEVICES = 4,       /* MOUNT_ATTR_NODEV */
  NO_EXECUTION = 8,     /* MOUNT_ATTR_NOEXEC */
};

bool js_memory_directory(napi_env env, const struct call *call, napi_value *result) {
  (void)call;
  /* A tmpfs can be swapped out, and not every kernel has its option against that. */
  int context = (int)syscall(FSOPEN, "ramfs", CLOSE_ON_EXEC);
  if (context < 0) return throw_errno(env, errno, "fsopen", NULL);
  const char *failed = "fsconfig";
  int fd = -1;
  if (syscall(FSCONFIG, context, SET_STRING, "mode", "0700", 0) == 0 &&
      syscall(FSCONFIG, context, CREATE, NULL, NULL, 0) == 0) {
    failed = "fsmount";
    fd = (int)syscall(FSMOUNT, context, CLOSE_ON_EXEC, NO_SUID | NO_DEVICES | NO_EXECUTION);
  }
  int error = errno;
  close(context);
  if (fd < 0) return throw_errno(env, error, failed, NULL);
  if (check(env, napi_create_int32(env, fd, result))) return true;
  close(fd);
  return false;
}
