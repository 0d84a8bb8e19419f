/** Flags of clone(2) for namespaces of a new process. Source: linux/sched.h. */
export const NEW_NAMESPACE = {
  mnt: 0x00020000,
  uts: 0x04000000,
  ipc: 0x08000000,
  pid: 0x20000000,
} as const;
