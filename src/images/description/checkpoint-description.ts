import type { DumpStats } from '../dump-stats.ts';
import type { ManifestHost } from '../manifest.ts';
import type { CheckpointNeeds } from './checkpoint-needs.ts';
import type { DescribedFile, FileUser } from './described-file.ts';
import type { DescribedMemory, DescribedRound } from './described-memory.ts';
import type { DescribedProcess } from './described-process.ts';

/** What the images of a dump, or of a pre-dump, say. JSON can hold all of it. */
export interface CheckpointDescription {
  /** The real path of the images directory. */
  readonly directory: string;
  /** A pre-dump is a round before a dump: it has memory and nothing else, and cannot be restored. */
  readonly kind: 'dump' | 'pre-dump';
  /** When the dump was made, in ISO 8601: as the manifest says, or the time of the inventory. */
  readonly writtenAt: string;
  /** The version of CRIU that made the dump; undefined without a manifest. */
  readonly criu: string | undefined;
  /** The host of the dump; undefined without a manifest. */
  readonly host: ManifestHost | undefined;
  /** The options of the dump; undefined without a manifest. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  /** The version of the format: 1 since CRIU 1.6, and 2 since CRIU 2.0. */
  readonly imageVersion: number;
  /** The instruction set, such as `x86_64` or `aarch64`; undefined for a pre-dump. */
  readonly architecture: string | undefined;
  /** Size of a page of the dump's host, in bytes. */
  readonly pageSize: number;
  /** The number of files in the directory. */
  readonly fileCount: number;
  /** Their size, in bytes. */
  readonly size: number;
  /** All processes, parents before their children, the root first. */
  readonly processes: readonly DescribedProcess[];
  /** The open files of all processes, and those of directories, programs and mappings, each once. */
  readonly files: readonly DescribedFile[];
  readonly pipes: readonly DescribedPipe[];
  /** The memory in the images, of each process and each shared memory. */
  readonly memory: readonly DescribedMemory[];
  readonly namespaces: readonly DescribedNamespace[];
  /** The mounts of the mount namespaces that the tree had of its own. */
  readonly mounts: readonly DescribedMount[];
  readonly cgroups: readonly DescribedCgroups[];
  /** The locks of files. */
  readonly locks: readonly DescribedLock[];
  /** What a restore needs of its host and of its options. */
  readonly needs: CheckpointNeeds;
  /** The statistics of the dump; undefined if neither a manifest nor `stats-dump` is in the directory. */
  readonly stats: DumpStats | undefined;
  /** The rounds before, the newest first, whose images the memory of this one needs. */
  readonly parents: readonly DescribedRound[];
}

/** A pipe with both ends. */
export interface DescribedPipe {
  /** The number of the pipe, as in `pipe:[NUMBER]`. */
  readonly inode: number;
  /** The path of a named pipe. */
  readonly path: string | undefined;
  /** Who reads; empty if that end is outside the tree or closed. */
  readonly readers: readonly FileUser[];
  /** Who writes; empty if that end is outside the tree or closed. */
  readonly writers: readonly FileUser[];
  /** Bytes that wait to be read. */
  readonly bytesQueued: number;
}

/** A namespace of processes. */
export interface DescribedNamespace {
  /** As in /proc/PID/ns. */
  readonly kind: 'pid' | 'net' | 'ipc' | 'uts' | 'mnt' | 'user' | 'cgroup' | 'time';
  /** The number of the namespace in the images. */
  readonly id: number;
  /** True if criu was not in it, so that a restore makes it. */
  readonly isOwn: boolean;
  /** The name with which the restore is given it, if it was external. */
  readonly external: string | undefined;
  /** The name of the host in a `uts` namespace of its own. */
  readonly hostname: string | undefined;
  /** The network devices in a `net` namespace of its own. */
  readonly devices: readonly string[] | undefined;
  readonly pids: readonly number[];
}

/** A mount of a mount namespace. */
export interface DescribedMount {
  readonly namespace: number;
  readonly mountpoint: string;
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly source: string;
  /** The type of the file system, such as `tmpfs`; `external` for what is not in the images. */
  readonly type: string;
  readonly options: string;
  /** The name with which the restore is given it, if it was external; undefined if `autoExtMnt` found it. */
  readonly external: string | undefined;
}

/** The control groups of some processes. */
export interface DescribedCgroups {
  readonly pids: readonly number[];
  readonly groups: readonly { readonly controller: string; readonly path: string }[];
}

/** A lock of a file. */
export interface DescribedLock extends FileUser {
  readonly kind: 'posix' | 'flock' | 'ofd' | 'lease' | 'unknown';
  readonly access: 'read' | 'write' | 'unlock' | 'unknown';
  /** The first byte. */
  readonly start: number;
  /** The number of bytes; 0 if it reaches to the end of the file. */
  readonly length: number;
}

/** Options of {@link describeCheckpoint}. */
export interface DescribeCheckpointOptions {
  /**
   * Leave passwords, tokens and keys in arguments and environments; by default their values are `[redacted]`. They are
   * recognised by the names of variables and options, and by their form in URLs, so that others remain.
   */
  readonly secrets?: boolean | undefined;
}
