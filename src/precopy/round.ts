import type { CriuLog } from '../errors.ts';
import type { DumpStats } from '../images/dump-stats.ts';
import type { DumpResult } from '../operations/dump.ts';
import type { PreCopied } from '../operations/pre-copied.ts';

/** One round of an {@link Iteration}: a pre-dump, or the final dump. */
export interface Round {
  /** The number of the round in the iteration, from 0. */
  readonly index: number;
  /** The absolute path of its images. A restore takes the directory of the final dump. */
  readonly directory: string;
  /** What CRIU measured; without soft-dirty tracking the library, and a round freezes nothing. */
  readonly stats: DumpStats;
  /** Time from the start of the iteration to the start of this round, in milliseconds. */
  readonly startedMs: number;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;
  /** CRIU's log. */
  readonly log: CriuLog | undefined;
}

/** The dump that ends an {@link Iteration}. */
export interface FinalDump extends Round {
  /** After {@link preCopy}: why the rounds ended, and the predicted and the real frozen time. */
  readonly preCopy?: PreCopied;
  /** See {@link DumpResult.occupiedPids}. */
  readonly occupiedPids?: DumpResult['occupiedPids'];
}
