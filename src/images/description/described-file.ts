/** An open file. `type` tells which properties it has. */
export type DescribedFile = DescribedFileBase &
  (
    | RegularFile
    | PipeEnd
    | FifoEnd
    | InetSocket
    | UnixSocket
    | NetlinkSocket
    | PacketSocket
    | EventFd
    | Epoll
    | FileWatches
    | SignalFd
    | TimerFd
    | Terminal
    | MemFd
    | NamespaceFile
    | OtherFile
  );

/** What all open files have. */
export interface DescribedFileBase {
  /** The number of the file in the images. */
  readonly id: number;
  /** The descriptors of it: those with the same file share its position and flags. */
  readonly users: readonly FileUser[];
  /** The flags of open(2), such as `O_RDWR` and `O_APPEND`. */
  readonly flags: readonly string[];
  /** One line for a person, such as `/var/log/app.log` or `tcp 127.0.0.1:80 LISTEN`. */
  readonly text: string;
}

/** A regular file, directory or device. */
export interface RegularFile {
  readonly type: 'regular';
  readonly path: string;
  /** In bytes. */
  readonly position: number;
  /** The size that a restore expects, in bytes. */
  readonly size: number | undefined;
  /** Type and permissions, as stat(2) has them. */
  readonly mode: number | undefined;
  /** In hexadecimal; a restore compares it. */
  readonly buildId: string | undefined;
  /** True if the restore is given another file in its place. */
  readonly isExternal: boolean;
  /** Undefined for a file with a name. */
  readonly deleted: DeletedFile | undefined;
}

/** What the images have of a file that was deleted while it was open. */
export interface DeletedFile {
  /** `ghost`: the content is in the images. `linked`: the dump gave it a new name. `procfs`: of a process that has ended. */
  readonly kept: 'ghost' | 'linked' | 'procfs';
  /** The size of the content in the images, in bytes. */
  readonly bytesStored: number | undefined;
  /** The new name. */
  readonly path: string | undefined;
}

/** An end of a pipe, or with O_RDWR both. */
export interface PipeEnd {
  readonly type: 'pipe';
  readonly inode: number;
  readonly end: 'read' | 'write' | 'both';
}

/** An open named pipe. */
export interface FifoEnd {
  readonly type: 'fifo';
  readonly inode: number;
  readonly path: string | undefined;
  readonly end: 'read' | 'write' | 'both';
}

/** A descriptor of a process. */
export interface FileUser {
  readonly pid: number;
  readonly fd: number;
}

/** An address and a port. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** A TCP, UDP or raw socket. */
export interface InetSocket {
  readonly type: 'inet';
  readonly inode: number;
  readonly family: 'ipv4' | 'ipv6';
  /** `tcp`, `udp`, `udplite`, or another protocol by its number. */
  readonly protocol: string;
  /** As crit has it: `LISTEN`, `ESTABLISHED`, `CLOSE`, and so on. */
  readonly state: string;
  readonly local: SocketAddress;
  /** The other end; undefined without a connection. */
  readonly remote: SocketAddress | undefined;
  /** How many connections can wait, of a listening socket. */
  readonly backlog: number;
  /** The device that it is bound to. */
  readonly device: string | undefined;
  /** `read`, `write` or `both` if it was shut down. */
  readonly shutdown: string | undefined;
  /** Bytes that the program has not read yet, of a TCP connection. */
  readonly bytesReceived: number | undefined;
  /** Bytes that the other end has not acknowledged yet, of a TCP connection. */
  readonly bytesUnacknowledged: number | undefined;
}

/** A UNIX socket. */
export interface UnixSocket {
  readonly type: 'unix';
  readonly inode: number;
  /** `stream`, `dgram` or `seqpacket`. */
  readonly socketType: string;
  readonly state: string;
  /** The path; `@NAME` for an abstract name. */
  readonly path: string | undefined;
  readonly backlog: number;
  /** The other end: its inode; undefined without a connection. */
  readonly peer: number | undefined;
  /** The descriptors of the other end; empty if it is outside the tree or closed. */
  readonly peerUsers: readonly FileUser[];
  /** True if the other end is outside the tree. */
  readonly isPeerOutside: boolean;
  readonly shutdown: string | undefined;
  /** Messages, and their bytes, that wait to be read. */
  readonly messagesQueued: number;
  readonly bytesQueued: number;
}

/** A netlink socket. */
export interface NetlinkSocket {
  readonly type: 'netlink';
  readonly inode: number;
  /** Such as `route`; or another protocol by its number. */
  readonly protocol: string;
  readonly portId: number;
}

/** A packet socket. */
export interface PacketSocket {
  readonly type: 'packet';
  readonly socketType: string;
  /** The protocol of the packets, such as `0x0003` for all. */
  readonly protocol: string;
  readonly interfaceIndex: number;
}

/** An eventfd. */
export interface EventFd {
  readonly type: 'eventfd';
  readonly counter: number;
}

/** An epoll instance, and the descriptors that it watches. */
export interface Epoll {
  readonly type: 'epoll';
  readonly watches: readonly { readonly fd: number; readonly events: readonly string[] }[];
}

/** An inotify or fanotify instance. */
export interface FileWatches {
  readonly type: 'inotify' | 'fanotify';
  /** The paths that CRIU has found; undefined for the others. */
  readonly watches: readonly { readonly path: string | undefined; readonly mask: number }[];
}

/** A signalfd, and the signals that it takes. */
export interface SignalFd {
  readonly type: 'signalfd';
  readonly signals: readonly string[];
}

/** A timerfd. */
export interface TimerFd {
  readonly type: 'timerfd';
  readonly clock: string;
  /** The time until it expires, in milliseconds; 0 if it is not armed. */
  readonly remainingMs: number;
  /** Its period, in milliseconds; 0 without one. */
  readonly intervalMs: number;
  readonly expirations: number;
}

/** A terminal. */
export interface Terminal {
  readonly type: 'tty';
  /** `pty`, `console`, `vt`, `ctty`, `ext_tty` or `serial`. */
  readonly kind: string;
  readonly path: string | undefined;
  /** The number of a pseudo-terminal. */
  readonly index: number | undefined;
  readonly rows: number | undefined;
  readonly columns: number | undefined;
  /** The session that it controls. */
  readonly sid: number | undefined;
}

/** A file in memory. */
export interface MemFd {
  readonly type: 'memfd';
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly position: number;
  readonly seals: readonly string[];
  /** The number of its shared memory. */
  readonly shared: number | undefined;
}

/** A namespace that a descriptor holds. */
export interface NamespaceFile {
  readonly type: 'namespace';
  readonly kind: string;
  readonly namespace: number;
}

/** A file of a rarer type, of which `text` says what is known. */
export interface OtherFile {
  readonly type: 'pidfd' | 'bpf-map' | 'tun' | 'external' | 'unknown';
}
