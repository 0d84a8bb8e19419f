#include "launcher.h"

#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without this, what is mounted here would appear in the mount namespace of the caller. */
void make_private(char **arguments) {
  (void)arguments;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("make mounts private", "/");
}

/* slave: as private, but mounts and unmounts of the caller appear here as well. */
void make_slave(char **arguments) {
  (void)arguments;
  if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) fail("make slaves of the mounts below", "/");
}

/* rbind SOURCE TARGET: with the mounts below SOURCE. */
void bind_all(char **arguments) {
  const char *source = arguments[0], *target = arguments[1];
  if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0) fail("bind", source);
  if (mount(NULL, target, NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("make private", target);
}

/* bind SOURCE TARGET: without the mounts below SOURCE. */
void bind_mount(char **arguments) {
  const char *source = arguments[0], *target = arguments[1];
  if (mount(source, target, NULL, MS_BIND, NULL) < 0) fail("bind", source);
  /* A mount that is shared would be one for all copies. */
  if (mount(NULL, target, NULL, MS_PRIVATE, NULL) < 0) fail("make private", target);
}

/* tmpfs TARGET: for the files of POSIX shared memory. */
void mount_tmpfs(char **arguments) {
  const char *target = arguments[0];
  if (mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0) fail("mount a tmpfs on", target);
}

/* proc TARGET: of the pid namespace of this process. */
void mount_proc(char **arguments) {
  const char *target = arguments[0];
  if (mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
    fail("mount a procfs on", target);
}

/* root DIRECTORY: a mount point, which becomes the root. Nothing of the former root stays. */
void change_root(char **arguments) {
  const char *root = arguments[0];
  if (chdir(root) < 0) fail("change to", root);
  if (syscall(SYS_pivot_root, ".", ".") < 0) fail("make a root of", root);
  if (umount2(".", MNT_DETACH) < 0) fail("unmount the former root below", root);
  if (chdir("/") < 0) fail("change to", "/");
}
