import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { asCriuError, CriuError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';

/** One packet of a SOCK_SEQPACKET socket, with the descriptors that came with it. */
export interface Packet {
  readonly data: Uint8Array;
  /** Close-on-exec descriptors received by SCM_RIGHTS; the receiver owns them. */
  readonly fds: readonly number[];
}

/** How a child ended: `code` after exit(), `signal` (its number) after being killed. */
export interface WaitStatus {
  readonly code: number | null;
  readonly signal: number | null;
}

export interface SpawnRequest {
  /** Absolute path of the program: no PATH lookup is done. */
  readonly file: string;
  /** argv, argv[0] included. */
  readonly args: readonly string[];
  /** `NAME=value` strings. */
  readonly env: readonly string[];
  readonly cwd?: string;
  /** `[descriptor in the child, descriptor here]`. Nothing else is inherited, 0 to 2 included. */
  readonly descriptors: readonly (readonly [number, number])[];
  /** setsid() in the child. */
  readonly newSession?: boolean;
  /** umask of the child; inherited when absent. */
  readonly umask?: number;
  /** A classic BPF program (an array of struct sock_filter), installed before exec. */
  readonly seccompFilter?: Uint8Array;
}

/** A descriptor under watch in the event loop. */
export interface Watch {
  /** Stops watching; the descriptor stays open. Idempotent. */
  close(): void;
  /** Whether the watch keeps the event loop alive; it does at first. */
  ref(): void;
  unref(): void;
}

/**
 * What JavaScript cannot do, and no policy. A failing system call throws an Error with `code`,
 * `errno` (positive) and `syscall`, as Node's own do. All descriptors made here are close-on-exec.
 */
export interface Native {
  /** A pair of connected AF_UNIX SOCK_SEQPACKET sockets; the first does not block. */
  socketpair(): [number, number];
  /**
   * Connects to a listening AF_UNIX SOCK_SEQPACKET socket; the connection does not block. Throws
   * EAGAIN while the listener's queue of connections is full, ENAMETOOLONG beyond 107 bytes.
   */
  connect(path: string): number;
  /** The same of SOCK_STREAM sockets, in which so many bytes may wait, if the system allows it. */
  streamPair(buffer: number): [number, number];
  /** A pipe, `[read end, write end]`; the read end does not block. */
  pipe(): [number, number];
  /** Sends one packet. Throws EMSGSIZE, EPIPE, EAGAIN, …; never raises SIGPIPE. */
  send(fd: number, packet: Uint8Array): void;
  /**
   * The next packet, whatever its size; null when none is there yet, undefined at end of file.
   * Throws ECONNRESET once when the peer closed with data unread; what it had sent comes after.
   */
  receive(fd: number): Packet | null | undefined;
  /**
   * Calls back, in the event loop of this thread, each time the descriptor is readable or hung up
   * (and again at once until it is read or the watch is closed). Makes the descriptor non-blocking.
   */
  watch(fd: number, onReadable: () => void): Watch;
  /** Makes reads and writes wait, for all who share the open file: for descriptors to give away. */
  setBlocking(fd: number): void;
  /** Starts a program without copying this process's pages (vfork); throws what exec failed with. */
  spawn(request: SpawnRequest): { pid: number; pidfd: number };
  /** A descriptor that becomes readable when the process has ended. */
  pidfdOpen(pid: number): number;
  /** Signals exactly that process, even if its pid was taken again meanwhile. */
  pidfdSendSignal(pidfd: number, signal: number): void;
  /** A copy of a descriptor of another process, which this one must be allowed to trace. */
  pidfdGetfd(pidfd: number, fd: number): number;
  /**
   * Reaps a child: its status, or null while it runs. Undefined when the process is not (or no
   * longer) a child of ours, so that nobody can know its status.
   */
  wait(pidfd: number): WaitStatus | null | undefined;
  /** A netlink socket of this network namespace, or of the one that `netns` (not -1) is open on. */
  netlink(protocol: number, netns: number): number;
  /**
   * Takes a TCP socket of another process out of repair mode (tcp(7)), with SO_REUSEADDR on: whether
   * it was in it. False also if the descriptor is no TCP socket.
   */
  endTcpRepair(pidfd: number, fd: number): boolean;
  /** Opens a file (O_PATH) by its handle, in the file system that `mount` is a descriptor of. */
  openByHandle(mount: number, type: number, handle: Uint8Array): number;
  /** An extended attribute of a file, up to 256 bytes. */
  getAttribute(path: string, name: string): Uint8Array;
  close(fd: number): void;
  /**
   * Gives a descriptor away: it stays open when this environment (a worker, say) ends, where those
   * that nobody closed are closed. With a pidfd of spawn() the duty to wait for the child goes too.
   */
  release(fd: number): void;
  readonly pageSize: number;
}

let loaded: Native | undefined;

/**
 * The addon, loaded at first use: importing the library works on every platform.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM, ERR_CRIU_SYSTEM
 */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

function load(): Native {
  const { platform, arch } = process;
  if (platform !== 'linux' || !ARCHITECTURES.includes(arch)) {
    throw unsupported(
      `is for Linux on ${ARCHITECTURES.join(' and ')}, and this is ${platform} ${arch}`,
    );
  }
  const name = `${platform}-${arch}-${libc()}.node`;
  // What a checkout has built comes first; the package brings the others.
  const file = ['build', 'prebuilds']
    .map((directory) => fileURLToPath(new URL(`${directory}/${name}`, packageRoot)))
    .find((path) => existsSync(path));
  if (file === undefined) {
    throw unsupported(`lacks its addon ${name} (in a checkout, run: npm run setup)`);
  }
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    const [said = ''] = (cause as Error).message.split('\n');
    const reason = `cannot load its addon: ${said}`;
    const errno = errnoOf(said);
    if (errno === undefined) throw unsupported(reason, { cause });
    throw new CriuError('ERR_CRIU_SYSTEM', `node-criu ${reason}`, { errno, cause });
  }
}

/** The dynamic linker has words only; undefined if they are not about descriptors. */
function errnoOf(said: string): number | undefined {
  if (said.includes('Too many open files in system')) return constants.errno.ENFILE;
  return said.includes('Too many open files') ? constants.errno.EMFILE : undefined;
}

function unsupported(reason: string, details = {}): CriuError {
  return new CriuError('ERR_CRIU_UNSUPPORTED_PLATFORM', `node-criu ${reason}`, details);
}

/** By the dynamic linker that is in this process; a diagnostic report tells too, but takes longer. */
function libc(): 'glibc' | 'musl' {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
  } catch (error) {
    throw asCriuError('node-criu', error);
  }
}
