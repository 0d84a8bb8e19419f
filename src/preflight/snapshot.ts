import type { Stats } from 'node:fs';
import type { SocketFacts } from '../netlink/sock-diag.ts';
import type { FdInfo } from '../procfs/fdinfo.ts';
import type { Mapping } from '../procfs/maps.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { Namespaces } from '../procfs/namespaces.ts';
import type { Stat } from '../procfs/stat.ts';
import type { Status } from '../procfs/status.ts';

/** A process tree at a moment, as far as it can be seen from outside: all that the checks look at. */
export interface Snapshot {
  /** The root of the tree. */
  readonly root: ProcessFacts;
  /** All of the tree, the root first. */
  readonly processes: readonly ProcessFacts[];
  /** The ids of all mounts that the tree or this process sees, with their file systems. */
  readonly mounts: ReadonlyMap<number, Mount>;
  /** Sockets in the network namespaces of the tree, by inode. */
  readonly sockets: ReadonlyMap<number, SocketFacts>;
  /** Why sockets of a process could not be asked about. */
  readonly uncheckedSockets: readonly { readonly pid: number; readonly reason: string }[];
  /** Who else has a pipe or socket open, by its link, as `pipe:[123]`. */
  readonly holders: ReadonlyMap<string, Holder>;
  /** Pipes with one end in the tree whose other end was not found in time, nor proved to be closed. */
  readonly openQuestions: ReadonlySet<string>;
  readonly caller: CallerFacts;
}

/** This process. */
export interface CallerFacts {
  readonly pid: number;
  readonly namespaces: Namespaces;
}

/** A process outside the tree. */
export interface Holder {
  readonly pid: number;
  readonly name: string;
}

/** A process of the tree. */
export interface ProcessFacts {
  readonly pid: number;
  readonly stat: Stat;
  readonly status: Status;
  /** Its threads but the first. */
  readonly threads: readonly Status[];
  readonly namespaces: Namespaces;
  readonly descriptors: readonly Descriptor[];
  /** What it has but not by a descriptor: its program, its directories and deleted mapped files. */
  readonly files: readonly OpenFile[];
  readonly mappings: readonly Mapping[];
  /** Mappings with a memory protection key. */
  readonly protectionKeys: number;
  /** Why it could not be looked at. */
  readonly refused: string | undefined;
}

/** An open descriptor. */
export interface Descriptor {
  readonly fd: number;
  /** What the link in /proc says, as `socket:[123]`. */
  readonly link: string;
  readonly info?: FdInfo | undefined;
  readonly file?: OpenFile | undefined;
  /** Of a socket: the kernel's name of its protocol, as `UNIX-STREAM`. */
  readonly protocol?: string | undefined;
  /** Of an inotify or fanotify: what CRIU would find no path for. */
  readonly unresolved?: readonly string[] | undefined;
}

/** A file that is open or mapped. */
export interface OpenFile {
  /** What it is to the process, as `the program`. */
  readonly role: string;
  readonly path: string;
  readonly stats: Stats;
  /** Undefined where it does not matter. */
  readonly mount?: number | undefined;
  /** What is at its path now, undefined if nothing is. */
  readonly now: Stats | undefined;
}

/** The inode in a link as `socket:[123]`. */
export function inodeOf(link: string): number {
  return Number(/\[(\d+)\]$/.exec(link)?.[1] ?? 0);
}
