import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { asCriuError, CriuError } from '../errors.ts';
import { find, unsupported } from './built-files.ts';

/** One packet of a SOCK_SEQPACKET socket. */
export interface Packet {
  readonly data: Uint8Array;
  /** Close-on-exec descriptors received by SCM_RIGHTS; the receiver owns them. */
  readonly fds: readonly number[];
}

/** How a child ended: `code` after exit(2), or the number of the `signal` that killed it. */
export interface WaitStatus {
  readonly code: number | null;
  readonly signal: number | null;
}

/** The program that `spawn()` starts. */
export interface SpawnRequest {
  /** Path of the program; PATH is not searched. */
  readonly file: string;
  /** The arguments, argv[0] included. */
  readonly args: readonly string[];
  /** `NAME=value` strings. */
  readonly env: readonly string[];
  readonly cwd?: string;
  /** `[descriptor in the child, descriptor here]`. The child inherits no others, not even 0 to 2. */
  readonly descriptors: readonly (readonly [number, number])[];
  /** Call setsid(2) in the child. */
  readonly newSession?: boolean;
  /** The umask of the child; by default that of this process. */
  readonly umask?: number;
  /** The user, the group and the supplementary groups of the child; by default those of this process. */
  readonly ids?: readonly [uid: number, gid: number, ...groups: number[]];
  /** Flags of clone(2) for the namespaces to create. */
  readonly cloneFlags?: number;
  /** A classic BPF program (an array of struct sock_filter), installed before execve(2). */
  readonly seccompFilter?: Uint8Array;
}

/** A descriptor that the event loop polls. */
export interface Watch {
  /** Stops polling and leaves the descriptor open. Idempotent. */
  close(): void;
  /** Stops polling until {@link resume}. Idempotent. */
  pause(): void;
  /** Polls again. Idempotent. */
  resume(): void;
  /** Makes the watch keep the event loop alive, as it does initially. */
  ref(): void;
  /** Lets the event loop end while the watch is open. */
  unref(): void;
}

/** What a {@link Pump} moves bytes between, from where Node has stopped. */
export interface PumpRequest {
  /** A stream socket of this host. */
  readonly local: number;
  /** A connected TCP socket. Neither socket blocks. */
  readonly peer: number;
  /** Bytes for the local socket that were received before. */
  readonly early: Uint8Array;
  /** Bytes from the peer that were read but not decrypted yet. */
  readonly unread: Uint8Array;
  /** The cipher of TLS 1.3: `aes-128-gcm`, `aes-256-gcm` or `chacha20-poly1305`. Default: no TLS. */
  readonly cipher?: string;
  /** The key, the IV of 12 bytes, and in 8 bytes the sequence number of the next record. */
  readonly sendKeys?: Uint8Array;
  readonly receiveKeys?: Uint8Array;
}

/** How far a {@link Pump} is. */
export interface PumpState {
  /** Bytes taken from the local socket. */
  readonly sent: number;
  /** Bytes received for the local socket. */
  readonly received: number;
  /** Bytes that the socket of the peer has taken, encryption included. */
  readonly written: number;
  /** Bytes that it has still to take. */
  readonly pending: number;
  /** True once nothing more is read, because an end is closed or has failed, or the pump was stopped. */
  readonly hasEnded: boolean;
  /** True once the descriptors are closed. */
  readonly isDone: boolean;
  /** The system call that failed, or without `errno` what is wrong; undefined at a proper end. */
  readonly failure?: string;
  readonly errno?: number;
}

/** A thread that moves bytes between two sockets, encrypted on the side of the peer. */
export interface Pump {
  state(): PumpState;
  /** Sets how many bytes may be sent in all, initially none, and after how many the pump calls back. */
  limitSending(bytes: number, notifyAt: number): void;
  /** The same for bytes received; the last read may exceed the limit by some KiB. */
  limitReceiving(bytes: number, notifyAt: number): void;
  /**
   * Ends the connection to the peer. The local socket is shut down after a second at most, in which what
   * was received goes to it. Idempotent.
   */
  stop(): void;
}

/** Consecutive pages, three numbers each: the address of the first, how many, and flags of CRIU's pagemap. */
export type PageEntries = Float64Array;

/** What a comparison of memory found. */
export interface Comparison {
  /**
   * The pages that the process has, in the order in which they were given: in the parent if they are as in the
   * round before, else present, and lazy as they were given. Those that were not given as lazy are always present.
   */
  readonly entries: PageEntries;
  readonly changedPages: number;
  readonly samePages: number;
}

/**
 * A copy of the memory of a process, which is made and compared in rounds. It does one thing at a time. Its
 * promises reject as the addon's methods throw.
 */
export interface MemoryCopy {
  /** Starts a round. Pages that were not read in the round before are forgotten. */
  startRound(): void;
  /**
   * Reads pages of a process, compares them with those of the round before, and keeps them; on as many threads
   * as there are processors. The process need not be stopped.
   * @param how 1: all these pages, also those that the kernel says the process does not have; it fails if
   * one cannot be read. 2: with the lowest priority. The sum for both.
   */
  compare(pid: number, entries: PageEntries, how: number): Promise<Comparison>;
  /**
   * Writes the pages of present entries to a file or a socket.
   * @param destination what a page server calls this process, for which a message precedes each entry; 0 for a file
   */
  write(fd: number, entries: PageEntries, destination: number): Promise<unknown>;
  /**
   * Keeps the pages of a file as if they were read in this round. At `offset`, in bytes, the file has all pages of
   * the entries, in this order; those that are not present are skipped. Rejects with ENODATA if the file is too
   * short.
   */
  load(fd: number, entries: PageEntries, offset: number): Promise<unknown>;
  /** Forgets all pages and frees their memory. */
  free(): void;
  /** How much memory the copy takes, in bytes. */
  size(): number;
}

/** The checksum of a file, by {@link Checksums}. */
export interface FileHash {
  readonly bytes: number;
  /** 32 hexadecimal digits. */
  readonly checksum: string;
}

/** The checksum of a file of pages, as far as it was written when the checksum was asked for. */
export interface FollowedFile extends FileHash {
  readonly name: string;
  readonly inode: number;
}

/** Makes checksums of files: GMAC with AES-128, which processors have instructions for. */
export interface Checksums {
  /** The checksum of a file, at once; undefined for a file of more than `limit` bytes. */
  small(path: string, limit: number): FileHash | undefined;
  /** The checksum of a file, on a thread of libuv. */
  file(path: string): Promise<FileHash>;
  /** Reads the files of pages that CRIU writes into a directory, as they grow, on a thread of its own. */
  follow(directory: string): void;
  /** Reads what is left of them, and ends the thread. Files that could not be read are missing. */
  followed(): Promise<FollowedFile[]>;
  /** Ends the thread. Idempotent; it has no effect while {@link followed} is pending. */
  close(): void;
}

/**
 * The addon: system calls that Node does not offer, without policy. A failed system call throws an
 * Error with `code`, `errno` (positive) and `syscall`, like Node's own errors. All descriptors that
 * the addon creates are close-on-exec.
 */
export interface Native {
  /** Creates two connected AF_UNIX SOCK_SEQPACKET sockets; the first does not block. */
  socketpair(): [number, number];
  /**
   * Connects to a listening AF_UNIX SOCK_SEQPACKET socket; the connection does not block. Throws
   * EAGAIN while the listener's queue of connections is full, ENAMETOOLONG beyond 107 bytes.
   */
  connect(path: string): number;
  /**
   * Creates two connected AF_UNIX SOCK_STREAM sockets; the first does not block.
   * @param buffer size of the send buffers in bytes; the kernel caps it at net.core.wmem_max
   * @param netns a descriptor of the network namespace to create them in; by default ours
   */
  streamPair(buffer: number, netns?: number): [number, number];
  /** Creates a pipe, `[read end, write end]`; the read end does not block. */
  pipe(): [number, number];
  /**
   * Listens on an AF_UNIX SOCK_STREAM socket, which does not block. Throws ENAMETOOLONG beyond 107 bytes.
   */
  listen(path: string): number;
  /** Accepts a connection, which does not block. Returns null if there is none yet. */
  accept(fd: number): number | null;
  /** Sets how many bytes a pipe can hold. Returns false if this user may not, or has too many large pipes. */
  setPipeSize(fd: number, size: number): boolean;
  /**
   * Has the kernel send a signal to a process when the last writer of a pipe is closed, for as long as that
   * process has the read end open.
   * @param fd the read end
   */
  signalAtEnd(fd: number, pid: number, signal: number): void;
  /** Sends one packet without blocking. Throws EAGAIN, EMSGSIZE, EPIPE, …; never raises SIGPIPE. */
  send(fd: number, packet: Uint8Array): void;
  /**
   * Receives the next packet, of any size. Returns null if there is none yet, and undefined at end of
   * file. Throws ECONNRESET once if the peer closed its socket before it read everything; later calls
   * return what the peer had sent.
   * @param size for a SOCK_STREAM socket: receives at most this many bytes, and the descriptors of one message
   */
  receive(fd: number, size?: number): Packet | null | undefined;
  /**
   * Polls a descriptor in the event loop of this thread, and calls back while it is readable or hung
   * up. Level-triggered: the callback repeats until it reads or closes the watch. Makes the descriptor
   * non-blocking.
   */
  watch(fd: number, onReadable: () => void): Watch;
  /** Clears O_NONBLOCK, also for other processes that share the open file. */
  setBlocking(fd: number): void;
  /**
   * Starts a program as after vfork(2), without a copy of this process, on a thread of its own. The descriptors may be
   * closed once it has been called. Rejects with the error of execve.
   */
  spawn(request: SpawnRequest): Promise<{ pid: number; pidfd: number }>;
  /** Opens a pidfd: a descriptor that becomes readable when the process ends. */
  pidfdOpen(pid: number): number;
  /** Sends a signal to the process of a pidfd, even if another process has its pid by now. */
  pidfdSendSignal(pidfd: number, signal: number): void;
  /** Copies a descriptor of another process, which this process must be allowed to trace. */
  pidfdGetfd(pidfd: number, fd: number): number;
  /** Makes a process group of this session the foreground group of its terminal (tcsetpgrp(3)). */
  setForeground(terminal: number, group: number): void;
  /**
   * Reaps a child and returns its status, or null while the child runs. Returns undefined if the
   * process is not a child of this process or was reaped before, so that its status is unknown.
   */
  wait(pidfd: number): WaitStatus | null | undefined;
  /** Opens a netlink socket in the network namespace of the descriptor `netns`, or, for -1, in ours. */
  netlink(protocol: number, netns: number): number;
  /** The same for a TCP socket, which is not bound or connected yet. */
  tcpSocket(version: 4 | 6, netns: number): number;
  /** Makes a network namespace in which the loopback device is up; it exists while a descriptor of it is open. */
  newNetwork(): number;
  /** Brings up the loopback device of the network namespace of the descriptor `netns`. */
  raiseLoopback(netns: number): void;
  /** Opens a socket that sends whole Ethernet frames on the network device with this index. */
  packetSocket(index: number): number;
  /**
   * Turns off the repair mode (TCP_REPAIR) of a TCP socket of another process, and turns on its
   * SO_REUSEADDR. Returns false if the socket was not in repair mode or is not a TCP socket.
   */
  endTcpRepair(pidfd: number, fd: number): boolean;
  /** Opens a file (O_PATH) by its handle, in the file system of the descriptor `mount`. */
  openByHandle(mount: number, type: number, handle: Uint8Array): number;
  /** Reads an extended attribute of a file, of at most 256 bytes. */
  getAttribute(path: string, name: string): Uint8Array;
  /**
   * Makes a device or a FIFO.
   * @param path bytes, as for the next two: they need not be UTF-8
   * @param mode its type and permissions, of which the umask takes some
   * @param device its number as stat(2) returns it
   */
  makeNode(path: Uint8Array, mode: number, device: number): void;
  /** Reads all extended attributes of a file, or of a symbolic link itself. */
  attributes(path: Uint8Array): [name: string, value: Buffer][];
  /** Sets an extended attribute of a file, or of a symbolic link itself. */
  setAttribute(path: Uint8Array, name: string, value: Uint8Array): void;
  /**
   * Makes a directory in memory that is never swapped out, is mounted nowhere, and is gone with the last descriptor
   * of it or of its files. It has mode 0700. Needs Linux 5.2 and CAP_SYS_ADMIN.
   */
  memoryDirectory(): number;
  /**
   * Locks a file (flock(2)) until the descriptor is closed or its process ends. Returns false if it is
   * locked through another open file description, in this process or another.
   * @param shared lets others have such a lock too
   */
  tryLock(fd: number, shared?: 'shared'): boolean;
  /**
   * Gives each of two files or directories the name of the other, in one step. Throws EINVAL where the
   * file system cannot do that.
   */
  exchange(one: string, other: string): void;
  /** Writes the regular files of a directory, and its entries, to the disk (fsync(2)) on another thread. */
  syncFiles(directory: string): Promise<void>;
  /**
   * Starts a thread that moves bytes between two sockets, which it owns from then on: it shuts both down
   * and closes them at its end.
   * @param onEvent called when a limit is reached, when the pump has ended, and when it is done
   */
  pump(request: PumpRequest, onEvent: () => void): Pump;
  /** True if this Node has the functions of OpenSSL, without which pumps cannot encrypt. */
  readonly hasOpenSsl: boolean;
  /**
   * Makes a copy of memory, which is empty at first.
   * @param hashes keep a keyed hash of each page instead of its contents, which are kept only of pages that have
   * changed, until they are written; needs OpenSSL
   */
  memoryCopy(hashes: boolean): MemoryCopy;
  /** Blocks this thread until a descriptor can be read, or is hung up. */
  awaitReadable(fd: number): void;
  /**
   * Sends all bytes on a stream socket, and blocks this thread meanwhile.
   * @param timeoutMs how long the peer may read nothing; throws ETIMEDOUT then
   */
  sendAll(fd: number, bytes: Uint8Array, timeoutMs: number): void;
  /** Creates another descriptor of an open file. */
  duplicate(fd: number): number;
  /** Seeds the random generators of OpenSSL, on all threads. Returns false if that failed, or this Node has none. */
  reseed(): boolean;
  /** Counts the operations of the event loop that are under way, such as reading a file or generating a key. */
  pendingRequests(): number;
  /** Sets the host name of the UTS namespace of this process. */
  setHostname(name: string): void;
  /**
   * Makes checksums with a key of 16 and an initialization vector of 12 bytes; throws ENOSYS without OpenSSL.
   */
  checksums(key: Uint8Array, iv: Uint8Array): Checksums;
  /** Closes a descriptor. */
  close(fd: number): void;
  /**
   * Keeps a descriptor open when this environment (the main thread or a worker) ends; all others that
   * the addon created are then closed. For a pidfd from spawn(), the caller also takes over the duty to
   * reap the child.
   */
  release(fd: number): void;
  /** The size of a memory page, in bytes. */
  readonly pageSize: number;
}

let loaded: Native | undefined;

/**
 * Loads the addon at the first call, so that importing the library works on every platform.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM, ERR_CRIU_SYSTEM
 */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const { platform, arch } = process;
  if (platform !== 'linux') throw unsupported(`node-criu needs Linux, not ${platform}`);
  const name = `linux-${arch}-${libc()}.node`;
  const file = find(name);
  if (file === undefined) throw unsupported(`node-criu has no addon ${name}`);
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    const [reason = ''] = (cause as Error).message.split('\n');
    const message = `node-criu cannot load its addon: ${reason}`;
    const errno = errnoOf(reason);
    if (errno === undefined) throw unsupported(message, { cause });
    throw new CriuError('ERR_CRIU_SYSTEM', message, { errno, cause });
  }
}

/** The dynamic linker reports no errno, only text; undefined if descriptors are not the cause. */
function errnoOf(reason: string): number | undefined {
  if (reason.includes('Too many open files in system')) return constants.errno.ENFILE;
  return reason.includes('Too many open files') ? constants.errno.EMFILE : undefined;
}

/** Found by the dynamic linker in this process; process.report has it too, but takes longer. */
function libc(): 'glibc' | 'musl' {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc';
  } catch (error) {
    throw asCriuError('node-criu', error);
  }
}
