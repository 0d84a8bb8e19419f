import type { DumpStats } from '../dump-stats.ts';

/** How much memory is in the images, in bytes. */
export interface MemorySizes {
  /** In this directory, before compression. */
  readonly bytesStored: number;
  /** In the directories of earlier rounds. */
  readonly bytesInParents: number;
  /** Left in the original processes by a lazy dump. */
  readonly bytesLazy: number;
}

/** The memory that the images have of a process, or of shared memory. */
export interface DescribedMemory extends MemorySizes {
  /** The process; undefined for shared memory. */
  readonly pid: number | undefined;
  /** The number of shared memory; undefined for a process. */
  readonly shared: number | undefined;
}

/** A round before a dump. */
export interface DescribedRound extends MemorySizes {
  readonly directory: string;
  /** When its images were completed, in ISO 8601. */
  readonly writtenAt: string;
  /** Its statistics. Without a manifest, those of CRIU, whose counters are not reset between the rounds of one criu. */
  readonly stats: DumpStats | undefined;
}
