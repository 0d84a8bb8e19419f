import type { DumpOptions, PreDumpOptions } from '../operations/dump.ts';
import type { CriuOpts, PageServerOptions } from '../options/types.ts';
import type { LazyDumpOptions } from '../postcopy/lazy-source.ts';

/** What {@link Iteration} decides by itself for each round. */
export type Own = 'imagesDirectory' | 'workDirectory' | 'parentImage' | 'trackMem';

/** Finds the page server of a round, which writes into a directory of its own for each. */
export type PageServerOfRound = (round: {
  /** The place of the round in the iteration, from 0. */
  readonly index: number;
  /** Its parent image, relative to its own directory, as the page server needs it as well. */
  readonly parentImage: string | undefined;
}) => PageServerOptions | Promise<PageServerOptions>;

/**
 * Options of {@link Criu.iterate}: those of the dump in view; its rounds take of them what a
 * pre-dump takes. `hooks`, `deadlineMs` and `gracePeriodMs` are for each round, and `signal` is for
 * the iteration as a whole.
 */
export interface IterateOptions
  extends Omit<
    DumpOptions,
    'imagesDirectory' | 'parentImage' | 'trackMem' | 'pageServer' | 'statusFd' | 'insecure'
  > {
  /**
   * Directory of the rounds, each in a directory of its own: `0`, `1`, … Created with mode 0700.
   * With a `workDirectory` logs and statistics are in directories of the same names there.
   */
  imagesDirectory: NonNullable<CriuOpts['imagesDirectory']>;
  /**
   * Takes the memory pages of all rounds. By address and port: something has to listen there for
   * each round, for a page server of CRIU serves one connection and one directory; a function tells
   * where that is. By descriptor: one connection for all rounds, on which the other side starts a
   * page server for each; keep it open until the end of the iteration.
   */
  pageServer?: PageServerOptions | PageServerOfRound;
  /** Whether to look first for what would make the dump fail. Default true. */
  preflight?: boolean;
  /** To end it with {@link Iteration.lazyDump}. Default false. */
  lazyPages?: boolean;
}

/** Options of {@link Iteration.preDump}: they come before those of the iteration. */
export interface RoundOptions extends Omit<PreDumpOptions, Own> {}

/** Options of {@link Iteration.dump}: they come before those of the iteration. */
export interface FinalDumpOptions extends Omit<DumpOptions, Own | 'lazyPages' | 'statusFd'> {}

/** Options of {@link Iteration.lazyDump}: they come before those of the iteration. */
export interface FinalLazyDumpOptions extends Omit<LazyDumpOptions, Own> {}
