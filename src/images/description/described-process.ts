import type { MappingKind } from '../memory/mappings.ts';
import type { MemorySizes } from './described-memory.ts';

/** A process of a dumped tree. What a zombie does not have is undefined or empty. */
export interface DescribedProcess {
  /** In its own pid namespace, as all ids of processes are. */
  readonly pid: number;
  /** The parent; 0 for the root. */
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** The name of its first thread. */
  readonly name: string;
  readonly state: 'alive' | 'stopped' | 'zombie' | 'dead' | 'unknown';
  /** The signal that stopped it, such as `SIGTSTP`. */
  readonly stopSignal: string | undefined;
  /** The exit code of a zombie, unless a signal ended it. */
  readonly exitCode: number | undefined;
  /** The signal that ended a zombie. */
  readonly exitSignal: string | undefined;
  /** All threads, the first one among them. */
  readonly threads: readonly DescribedThread[];
  readonly credentials: DescribedCredentials | undefined;
  /** The command line; undefined if the images do not have that memory. */
  readonly args: readonly string[] | undefined;
  /** The environment at the start, as `NAME=VALUE`; undefined if the images do not have that memory. */
  readonly environment: readonly string[] | undefined;
  /** When it was started, in ISO 8601; undefined without a manifest. */
  readonly startedAt: string | undefined;
  /** The path of the program. */
  readonly program: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly rootDirectory: string | undefined;
  readonly umask: number | undefined;
  /** How system calls are filtered: `disabled`, `strict` or `filter`. */
  readonly seccomp: string | undefined;
  readonly oomScoreAdjust: number | undefined;
  /** True if it adopts the orphans among its descendants. */
  readonly isSubreaper: boolean;
  readonly limits: readonly DescribedLimit[];
  readonly descriptors: readonly DescribedDescriptor[];
  /** In the order of addresses. */
  readonly mappings: readonly DescribedMapping[];
  /** The size of all mappings, in bytes. */
  readonly bytesMapped: number;
}

/** A thread. */
export interface DescribedThread {
  readonly tid: number;
  readonly name: string;
}

/** Users, groups and capabilities. */
export interface DescribedCredentials {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Names such as `CAP_NET_ADMIN`. */
  readonly capabilities: {
    readonly effective: readonly string[];
    readonly permitted: readonly string[];
    readonly inheritable: readonly string[];
    readonly bounding: readonly string[];
    readonly ambient: readonly string[];
  };
  readonly noNewPrivileges: boolean;
  /** The profile of the security module. */
  readonly lsmProfile: string | undefined;
}

/** A resource limit; infinity is undefined. */
export interface DescribedLimit {
  /** As in prlimit(1), such as `nofile`. */
  readonly name: string;
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** A descriptor, and the id of its file. */
export interface DescribedDescriptor {
  readonly fd: number;
  readonly file: number;
  readonly closeOnExec: boolean;
}

/** A mapping. Of memory that several processes share, the sizes are those of the part that is mapped. */
export interface DescribedMapping extends MemorySizes {
  /** The first address, such as `0x7f0000000000`, which `BigInt` reads. */
  readonly start: string;
  /** The address after the last. */
  readonly end: string;
  /** In bytes. */
  readonly size: number;
  /** As in /proc/PID/maps, such as `rw-p`. */
  readonly protection: string;
  readonly kind: MappingKind;
  /** The id of the file of a mapped file, or of a file in memory. */
  readonly file: number | undefined;
  /** The path of that file. */
  readonly path: string | undefined;
  /** Where the mapping begins in its file or shared memory, in bytes. */
  readonly offset: number;
  /** The number of shared memory. */
  readonly shared: number | undefined;
}
