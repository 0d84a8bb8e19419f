import type { DescribedFile } from '../description/described-file.ts';
import type { DescribedMapping, DescribedProcess } from '../description/described-process.ts';

/** What differs between two checkpoints. JSON can hold all of it. */
export interface CheckpointDifference {
  /** The real path of the first images directory. */
  readonly before: string;
  /** The real path of the second images directory. */
  readonly after: string;
  readonly processes: Changes<ProcessProperties>;
  /** Descriptors with files that are no sockets. */
  readonly files: Changes<ProcessFile>;
  /** Descriptors with sockets. */
  readonly sockets: Changes<ProcessFile>;
  /** Mappings, without their content. Those with the same first address are the same. */
  readonly mappings: Changes<ProcessMapping>;
  /** The pages that differ; undefined if they were not compared. */
  readonly memory: MemoryDifference | undefined;
}

/** What was added, removed and changed. */
export interface Changes<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly changed: readonly Change<T>[];
}

/** One thing before and after. */
export interface Change<T> {
  readonly before: T;
  readonly after: T;
  /** The names of the properties that differ. */
  readonly properties: readonly string[];
}

/** A process without its descriptors and mappings. Those with the same pid are the same. */
export type ProcessProperties = Omit<DescribedProcess, 'descriptors' | 'mappings'>;

/** A descriptor and its file. Those with the same number in the same process are the same. */
export interface ProcessFile {
  readonly pid: number;
  readonly fd: number;
  readonly file: DescribedFile;
}

/** A mapping of a process. */
export interface ProcessMapping {
  readonly pid: number;
  readonly mapping: DescribedMapping;
}

/** How many pages are equal, and how many are not. */
export interface PageCounts {
  /** In both, with another content. */
  readonly pagesChanged: number;
  /** Only in the second. */
  readonly pagesAdded: number;
  /** Only in the first. */
  readonly pagesRemoved: number;
  /** In both, with the same content. */
  readonly pagesEqual: number;
}

/** The pages of all processes, and of all shared memory, that are in both checkpoints. */
export interface MemoryDifference extends PageCounts {
  /** Size of a page, in bytes. */
  readonly pageSize: number;
  /** Where pages differ. */
  readonly ranges: readonly RangeDifference[];
}

/** The pages of a mapping, or of shared memory, of which some differ. */
export interface RangeDifference extends PageCounts {
  /** The process; undefined for shared memory. */
  readonly pid: number | undefined;
  /** The number of shared memory; undefined for a process. */
  readonly shared: number | undefined;
  /** The mapping, as it is after; undefined for shared memory, and in pre-dumps, which have no mappings. */
  readonly mapping: DescribedMapping | undefined;
}

/** Options of {@link diffCheckpoints}. */
export interface DiffCheckpointsOptions {
  /** Leave passwords, tokens and keys in arguments and environments; by default they are redacted. */
  readonly secrets?: boolean | undefined;
  /** Compare the memory, which takes as long as to read it twice; default true. */
  readonly memory?: boolean | undefined;
  /** Aborts the comparison. */
  readonly signal?: AbortSignal | undefined;
}
