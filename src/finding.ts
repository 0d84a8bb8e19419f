/**
 * The code of a {@link PreflightFinding}. Stable; one for each kind of obstacle, to a dump or to a restore.
 *
 * Processes:
 * - `CALLER_IN_TREE`: the calling process, and with it the criu that it starts, is in the tree.
 * - `NOT_SESSION_LEADER`: the root of the tree does not lead its session.
 * - `SESSION_OUTSIDE_PID_NAMESPACE`: the session leader of a process is outside its pid namespace.
 * - `NOT_NAMESPACE_INIT`: the root of the tree is not the first process of its pid namespace.
 * - `NESTED_NAMESPACE`: a process is in another namespace than the root of the tree.
 * - `USER_NAMESPACE`: the tree has a user namespace of its own, but no pid or mount namespace of its own.
 * - `TRACED`: a debugger or another tracer is attached.
 * - `DEAD_LEADER`: the first thread of a process has ended, and others run.
 * - `UNINTERRUPTIBLE`: a process waits in the kernel and cannot be stopped.
 * - `SIGTRAP_PENDING`: a SIGTRAP waits for a process that blocks it.
 * - `NO_PERMISSION`: the calling process may not read a process in /proc.
 *
 * Descriptors, files and memory:
 * - `IO_URING`: an io_uring, open or mapped.
 * - `EXTERNAL_MOUNT`: a mount from outside the mount namespace of the tree.
 * - `SLAVE_MOUNT`: a mount whose master is outside the mount namespace of the tree.
 * - `UNSUPPORTED_DESCRIPTOR`, `UNSUPPORTED_MAPPING`: a kind of file that CRIU does not support.
 * - `PIDFD_OUTSIDE`, `NAMESPACE_OUTSIDE`: a descriptor of a process or namespace outside the tree.
 * - `OUTSIDE_MOUNT_NAMESPACE`: a file on a mount outside the mount namespaces of the tree.
 * - `PATH_TAKEN`: another file or mount is at the path of an open file.
 * - `DELETED_FILE_LINKED`: an open file was deleted, but has other names.
 * - `DELETED_FILE_TOO_BIG`: an open file was deleted, and is larger than `ghostLimit`.
 * - `FILE_LOCK`: a lock or lease on a file.
 * - `UNRESOLVED_WATCH`: CRIU finds no path for a file that an inotify or fanotify watches.
 * - `SYSV_SHARED_MEMORY`: System V shared memory, and the tree has no IPC namespace of its own.
 * - `PROTECTION_KEYS`: memory protection keys, which CRIU does not restore.
 * - `NOT_LAZY`: memory that a dump with `lazyPages`, or one that compares, copies while the processes are frozen.
 *
 * Connections:
 * - `PIPE_OUTSIDE`: the other end of a pipe is, or may be, outside the tree.
 * - `PACKET_PIPE`: a pipe in packet mode (O_DIRECT).
 * - `UNIX_PEER_OUTSIDE`: the other end of a unix connection is outside the tree.
 * - `UNIX_CONNECTION_BROKEN`: a client closed its connection before it was accepted.
 * - `UNIX_IN_FLIGHT`: a client has sent data before its connection was accepted.
 * - `TCP_ESTABLISHED`: a TCP connection.
 * - `TCP_IN_FLIGHT`: a TCP connection that waits to be accepted.
 * - `UNSUPPORTED_SOCKET`: a protocol that CRIU does not support.
 * - `SOCKETS_UNCHECKED`: the calling process may not list the sockets of a network namespace.
 * - `TERMINAL_OUTSIDE`: a terminal whose master or session is outside the tree.
 *
 * Restore:
 * - `BAD_IMAGES`: the images are incomplete or damaged.
 * - `PID_IN_USE`, `PID_TOO_HIGH`: an id of a process or thread that is in use, or that this host does not allow.
 * - `FILE_MISSING`, `FILE_CHANGED`: a file that is not where it was, or not what it was.
 * - `EXTERNAL_MISSING`: a file or mount from outside the tree that the options do not give.
 * - `ROOT_MISSING`: a tree with a mount namespace of its own, and no usable `root`.
 * - `ADDRESS_MISSING`, `ADDRESS_IN_USE`: an address that this host does not have, or a port in use.
 * - `CGROUP_MISSING`, `CGROUP_EXISTS`: a control group that the restore does not make, or that it must not use.
 * - `CGROUP_CHANGED`: a property of a control group that the restore leaves different from the dump's.
 * - `CPU_UNSUITABLE`: the processor lacks what `cpuinfo.img` describes.
 *
 * Host:
 * - `MISSING_CAPABILITY`: criu lacks a capability that it needs.
 * - `CRIU_UNUSABLE`: criu is not installed or cannot run.
 * - `CRIU_TOO_OLD`: an option needs a newer CRIU.
 * - `KERNEL_UNSUITABLE`, `NO_MEM_TRACK`, `NO_LAZY_PAGES`: the kernel lacks a feature.
 * - `NO_SPACE`: the images do not fit on the disk.
 * - `NO_GUEST`: the program of a template does not use `node-criu/guest`, which makes each copy unique.
 */
export type PreflightCode =
  | 'CALLER_IN_TREE'
  | 'NOT_SESSION_LEADER'
  | 'SESSION_OUTSIDE_PID_NAMESPACE'
  | 'NOT_NAMESPACE_INIT'
  | 'NESTED_NAMESPACE'
  | 'USER_NAMESPACE'
  | 'TRACED'
  | 'DEAD_LEADER'
  | 'UNINTERRUPTIBLE'
  | 'SIGTRAP_PENDING'
  | 'NO_PERMISSION'
  | 'IO_URING'
  | 'UNSUPPORTED_DESCRIPTOR'
  | 'UNSUPPORTED_MAPPING'
  | 'PIDFD_OUTSIDE'
  | 'NAMESPACE_OUTSIDE'
  | 'OUTSIDE_MOUNT_NAMESPACE'
  | 'EXTERNAL_MOUNT'
  | 'SLAVE_MOUNT'
  | 'PATH_TAKEN'
  | 'DELETED_FILE_LINKED'
  | 'DELETED_FILE_TOO_BIG'
  | 'FILE_LOCK'
  | 'UNRESOLVED_WATCH'
  | 'SYSV_SHARED_MEMORY'
  | 'PROTECTION_KEYS'
  | 'NOT_LAZY'
  | 'PIPE_OUTSIDE'
  | 'PACKET_PIPE'
  | 'UNIX_PEER_OUTSIDE'
  | 'UNIX_CONNECTION_BROKEN'
  | 'UNIX_IN_FLIGHT'
  | 'TCP_ESTABLISHED'
  | 'TCP_IN_FLIGHT'
  | 'UNSUPPORTED_SOCKET'
  | 'SOCKETS_UNCHECKED'
  | 'TERMINAL_OUTSIDE'
  | 'BAD_IMAGES'
  | 'PID_IN_USE'
  | 'PID_TOO_HIGH'
  | 'FILE_MISSING'
  | 'FILE_CHANGED'
  | 'EXTERNAL_MISSING'
  | 'ROOT_MISSING'
  | 'ADDRESS_MISSING'
  | 'ADDRESS_IN_USE'
  | 'CGROUP_MISSING'
  | 'CGROUP_EXISTS'
  | 'CGROUP_CHANGED'
  | 'CPU_UNSUITABLE'
  | 'MISSING_CAPABILITY'
  | 'CRIU_UNUSABLE'
  | 'CRIU_TOO_OLD'
  | 'KERNEL_UNSUITABLE'
  | 'NO_MEM_TRACK'
  | 'NO_LAZY_PAGES'
  | 'NO_SPACE'
  | 'NO_GUEST';

/** An obstacle to a dump or to a later restore. */
export interface PreflightFinding {
  /** The kind of obstacle. Stable. */
  readonly code: PreflightCode;
  /**
   * `error`: the operation fails unless something changes. `warning`: it may fail, or lose something. `info`: it
   * works, and takes longer.
   */
  readonly severity: 'error' | 'warning' | 'info';
  /**
   * The process with the obstacle; the root of the tree if the obstacle is the host. Before a restore, the
   * pid that the process had in its own pid namespace.
   */
  readonly pid: number;
  /** The descriptor, if the obstacle is a descriptor. */
  readonly fd?: number;
  /** How much memory it is about, in bytes, with the code `NOT_LAZY`. */
  readonly bytes?: number;
  /** One phrase that names the obstacle. */
  readonly message: string;
  /** One sentence: the option to set or the action to take. */
  readonly remedy: string;
}
