/* The one way to rename files that Node does not offer. */
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <unistd.h>

/* A system call, because musl has no function for it. */
bool js_exchange(napi_env env, const struct call *call, napi_value *result) {
  (void)result;
  char *one = NULL, *other = NULL;
  bool done = false;
  if (get_string(env, call->arguments[0], &one) && get_string(env, call->arguments[1], &other))
    done = syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0 ||
           throw_errno(env, errno, "renameat2", one);
  free(one), free(other);
  return done;
}
