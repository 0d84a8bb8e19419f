/**
 * What a {@link PreflightFinding} is about: stable, one for each obstacle.
 *
 * Processes:
 * - `CALLER_IN_TREE`: this process, and with it the criu that it starts, is in the tree.
 * - `NOT_SESSION_LEADER`: the root of the tree does not lead its session.
 * - `SESSION_OUTSIDE_PID_NAMESPACE`: a process's session leader is not in its pid namespace.
 * - `NOT_NAMESPACE_INIT`: the root of the tree is not the first process of its pid namespace.
 * - `NESTED_NAMESPACE`: a process lives in a namespace that is not the root's.
 * - `TRACED`: a debugger or tracer is attached.
 * - `DEAD_LEADER`: the first thread has ended and others run.
 * - `NO_PERMISSION`: /proc does not let this process look.
 *
 * Descriptors, files and memory:
 * - `IO_URING`: an io_uring, open or mapped.
 * - `UNSUPPORTED_DESCRIPTOR`, `UNSUPPORTED_MAPPING`: a kind of file that CRIU does not know.
 * - `PIDFD_OUTSIDE`, `NAMESPACE_OUTSIDE`: a descriptor of a process or namespace outside the tree.
 * - `OUTSIDE_MOUNT_NAMESPACE`: a file on a mount that the tree does not have.
 * - `PATH_TAKEN`: another file is where an open one was.
 * - `DELETED_FILE_LINKED`: an open file lost its name, but has others.
 * - `DELETED_FILE_TOO_BIG`: a deleted file is bigger than what goes into the images.
 * - `FILE_LOCK`: a lock or lease on a file.
 * - `UNRESOLVED_WATCH`: what an inotify or fanotify watches has no path that CRIU would find.
 * - `SYSV_SHARED_MEMORY`: System V shared memory outside an IPC namespace of the tree's own.
 * - `PROTECTION_KEYS`: memory protection keys, which CRIU does not restore.
 *
 * Connections:
 * - `PIPE_OUTSIDE`: the other end of a pipe is outside the tree, or may be.
 * - `PACKET_PIPE`: a pipe in packet mode (O_DIRECT).
 * - `UNIX_PEER_OUTSIDE`: the other end of a unix connection is outside the tree.
 * - `UNIX_CONNECTION_BROKEN`: a client hung up before its connection was accepted.
 * - `TCP_ESTABLISHED`: a TCP connection.
 * - `TCP_IN_FLIGHT`: a TCP connection that nobody has accepted yet.
 * - `UNSUPPORTED_SOCKET`: a protocol that CRIU does not know.
 * - `SOCKETS_UNCHECKED`: the kernel did not let this process ask about sockets.
 * - `TERMINAL_OUTSIDE`: a terminal whose master or session is outside the tree.
 *
 * Host:
 * - `MISSING_CAPABILITY`: criu would lack the capabilities that it needs.
 * - `CRIU_UNUSABLE`: there is no criu that runs.
 * - `CRIU_TOO_OLD`: an option needs a newer one.
 * - `KERNEL_UNSUITABLE`, `NO_MEM_TRACK`, `NO_LAZY_PAGES`: the kernel lacks something.
 * - `NO_SPACE`: the images would not fit.
 */
export type PreflightCode =
  | 'CALLER_IN_TREE'
  | 'NOT_SESSION_LEADER'
  | 'SESSION_OUTSIDE_PID_NAMESPACE'
  | 'NOT_NAMESPACE_INIT'
  | 'NESTED_NAMESPACE'
  | 'TRACED'
  | 'DEAD_LEADER'
  | 'NO_PERMISSION'
  | 'IO_URING'
  | 'UNSUPPORTED_DESCRIPTOR'
  | 'UNSUPPORTED_MAPPING'
  | 'PIDFD_OUTSIDE'
  | 'NAMESPACE_OUTSIDE'
  | 'OUTSIDE_MOUNT_NAMESPACE'
  | 'PATH_TAKEN'
  | 'DELETED_FILE_LINKED'
  | 'DELETED_FILE_TOO_BIG'
  | 'FILE_LOCK'
  | 'UNRESOLVED_WATCH'
  | 'SYSV_SHARED_MEMORY'
  | 'PROTECTION_KEYS'
  | 'PIPE_OUTSIDE'
  | 'PACKET_PIPE'
  | 'UNIX_PEER_OUTSIDE'
  | 'UNIX_CONNECTION_BROKEN'
  | 'TCP_ESTABLISHED'
  | 'TCP_IN_FLIGHT'
  | 'UNSUPPORTED_SOCKET'
  | 'SOCKETS_UNCHECKED'
  | 'TERMINAL_OUTSIDE'
  | 'MISSING_CAPABILITY'
  | 'CRIU_UNUSABLE'
  | 'CRIU_TOO_OLD'
  | 'KERNEL_UNSUITABLE'
  | 'NO_MEM_TRACK'
  | 'NO_LAZY_PAGES'
  | 'NO_SPACE';

/** Something that a dump, or a later restore, would stumble over. */
export interface PreflightFinding {
  /** What it is: stable. */
  readonly code: PreflightCode;
  /** `error`: the operation will fail as things stand. `warning`: it may, or something is lost. */
  readonly severity: 'error' | 'warning';
  /** The process that has it; for what concerns the host, the root of the tree. */
  readonly pid: number;
  /** The descriptor, if it is one. */
  readonly fd?: number;
  /** One sentence that names the thing. */
  readonly message: string;
  /** One sentence: the option or the action that helps. */
  readonly remedy: string;
}
