import type { DumpOptions, PreDumpOptions } from '../operations/dump.ts';
import type { CriuOpts, PageServerOptions } from '../options/types.ts';
import type { LazyDumpOptions } from '../postcopy/lazy-dump-options.ts';

/** Options that an {@link Iteration} sets for each round, which gets a directory of its own. */
export type OwnedOption =
  | 'imagesDirectory'
  | 'workDirectory'
  | 'parentImage'
  | 'trackMem'
  | (typeof DIRECTORY_OPTIONS)[number];

/** Options of a dump that apply to its directory; a round has a new one. */
export const DIRECTORY_OPTIONS = ['overwrite', 'keepFailed'] as const;

/** Returns the page server of a round. Each round needs a directory of its own there. */
export type PageServerOfRound = (round: {
  /** The number of the round in the iteration, from 0. */
  readonly index: number;
  /** The parent image, relative to the round's directory, which the page server needs as well. */
  readonly parentImage: string | undefined;
}) => PageServerOptions | Promise<PageServerOptions>;

/**
 * Options of {@link Criu.iterate}: those of the final dump. A round takes the ones among them that a
 * pre-dump takes. `hooks`, `deadlineMs` and `gracePeriodMs` apply to each round, `signal` to the
 * whole iteration.
 */
export interface IterateOptions
  extends Omit<
    DumpOptions,
    Exclude<OwnedOption, 'workDirectory'> | 'pageServer' | 'statusFd' | 'insecure' | 'force'
  > {
  /**
   * Directory of the rounds, each in a directory of its own: `0`, `1`, … Created with mode 0700.
   * With a `workDirectory`, logs and statistics are in directories of the same names there.
   */
  imagesDirectory: NonNullable<CriuOpts['imagesDirectory']>;
  /**
   * The destination of the memory pages of all rounds. With address and port: a page server of CRIU
   * serves one connection and one directory, so a new one must listen there for each round; a function
   * returns the address for each round. With a descriptor: one connection for all rounds, on which the
   * other side starts a page server for each round; keep it open until the iteration ends.
   */
  pageServer?: PageServerOptions | PageServerOfRound;
  /**
   * Run a preflight first, which finds what would make the dump fail. Default true. With false, the final
   * dump has `force` by default.
   */
  preflight?: boolean;
  /**
   * How the rounds find the memory that has changed. `soft-dirty`: the kernel tracks it, which not every kernel
   * can: `features().memTrack`. `compare`: the library reads it and compares it with what it read in the
   * round before, which needs userfaultfd (`features().lazyPages`) and CRIU 3.15. Default `auto`:
   * `soft-dirty` where the kernel can.
   */
  tracking?: 'auto' | 'soft-dirty' | 'compare';
  /**
   * What `compare` keeps of the memory. `hashes`: a keyed 128-bit hash (GMAC) of each page, and some 60 bytes
   * a page in all. `copy`: the contents, which takes as much memory as the processes have, and compares
   * faster. Default `hashes`, or `copy` in a Node without OpenSSL.
   */
  compareWith?: 'hashes' | 'copy';
  /** With `compare`, the most memory that a round reads per second, in bytes. Default: no limit. */
  rateLimit?: number;
  /**
   * With `compare`, read memory in rounds with the lowest priority (nice 19), so that it takes only processor
   * time that nobody else wants. Default false.
   */
  lowPriority?: boolean;
  /** Prepare for {@link Iteration.lazyDump} as the final dump. Default false. */
  lazyPages?: boolean;
}

/** Options of {@link Iteration.preDump}. They override those of the iteration. */
export interface RoundOptions extends Omit<PreDumpOptions, OwnedOption> {}

/** Options of {@link Iteration.dump}. They override those of the iteration. */
export interface FinalDumpOptions
  extends Omit<DumpOptions, OwnedOption | 'lazyPages' | 'statusFd'> {}

/** Options of {@link Iteration.lazyDump}. They override those of the iteration. */
export interface FinalLazyDumpOptions extends Omit<LazyDumpOptions, OwnedOption> {}
