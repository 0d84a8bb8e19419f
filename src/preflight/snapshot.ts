import type { Stats } from 'node:fs';
import type { SocketFacts } from '../netlink/sock-diag.ts';
import type { FdInfo } from '../procfs/fdinfo.ts';
import type { Mapping } from '../procfs/maps.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import type { Namespaces } from '../procfs/namespaces.ts';
import type { MappedMemory } from '../procfs/smaps.ts';
import type { Stat } from '../procfs/stat.ts';
import type { Status } from '../procfs/status.ts';

/** The state of a process tree at one moment, as far as other processes can read it. */
export interface Snapshot {
  /** The root of the tree. */
  readonly root: ProcessFacts;
  /** All of the tree, the root first. */
  readonly processes: readonly ProcessFacts[];
  /** The mounts in the mount namespaces of the tree and of this process, by id. */
  readonly mounts: ReadonlyMap<number, Mount>;
  /** The same by mount namespace, such as `mnt:[123]`; those of this process are with {@link caller}. */
  readonly mountsOf: ReadonlyMap<string, readonly Mount[]>;
  /** Sockets in the network namespaces of the tree, by inode. */
  readonly sockets: ReadonlyMap<number, SocketFacts>;
  /** Network namespaces whose sockets could not be listed, each with a process that is in it. */
  readonly uncheckedSockets: readonly { readonly pid: number; readonly reason: string }[];
  /** Processes outside the tree that have a pipe or socket of the tree open, by link, such as `pipe:[123]`. */
  readonly outsideOwners: ReadonlyMap<string, OutsideProcess>;
  /** Pipes and sockets with one end in the tree, whose other end the search did not find in its time. */
  readonly unknownPeers: ReadonlySet<string>;
  readonly caller: CallerFacts;
}

/** This process. */
export interface CallerFacts {
  readonly pid: number;
  readonly namespaces: Namespaces;
  readonly mounts: readonly Mount[];
  /** Its standard input is a terminal. */
  readonly hasTerminal: boolean;
}

/** A process outside the tree. */
export interface OutsideProcess {
  readonly pid: number;
  readonly name: string;
}

/** A process of the tree. */
export interface ProcessFacts {
  readonly pid: number;
  readonly stat: Stat;
  readonly status: Status;
  /** All threads except the first. */
  readonly threads: readonly Status[];
  readonly namespaces: Namespaces;
  readonly descriptors: readonly Descriptor[];
  /** Files without a descriptor: the program, the directories, and mapped files that are deleted. */
  readonly files: readonly OpenFile[];
  /** Mappings with a name. */
  readonly mappings: readonly Mapping[];
  /** The number of mappings with a memory protection key. */
  readonly protectionKeys: number;
  /** All mappings, each with how much memory it has; empty unless the dump has lazy pages. */
  readonly memory: readonly MappedMemory[];
  /** Why the process could not be read; undefined if it could. */
  readonly refused: string | undefined;
}

/** An open descriptor. */
export interface Descriptor {
  readonly fd: number;
  /** The link in /proc, such as `socket:[123]`. */
  readonly link: string;
  readonly info?: FdInfo | undefined;
  readonly file?: OpenFile | undefined;
  /** Of a socket: the kernel's name of its protocol, such as `UNIX-STREAM`. */
  readonly protocol?: string | undefined;
  /** Of an inotify or fanotify: the watched files for which CRIU finds no path. */
  readonly unresolved?: readonly string[] | undefined;
}

/** A file that is open or mapped. */
export interface OpenFile {
  /** The role of the file for the process, such as `the program`; empty for a descriptor. */
  readonly role: string;
  readonly path: string;
  readonly stats: Stats;
  /** The id of the mount; undefined for a mapped file. */
  readonly mount?: number | undefined;
  /** The file that is at its path now; undefined if there is none. */
  readonly now: Stats | undefined;
}

/** The inode in a link such as `socket:[123]`. */
export function inodeOf(link: string): number {
  return Number(/\[(\d+)\]$/.exec(link)?.[1] ?? 0);
}
