import type { CriuLog } from '../errors.ts';
import type { DumpStats } from '../images/stats.ts';
import type { Decision } from './policy.ts';

/** One round of an {@link Iteration}: a pre-dump, or the dump that ends it. */
export interface Round {
  /** Its place in the iteration, from 0. */
  readonly index: number;
  /** Where its images are: an absolute path. That of the dump is what a restore takes. */
  readonly directory: string;
  /** What CRIU measured. */
  readonly stats: DumpStats;
  /** Time from the beginning of the iteration to that of this round, in milliseconds. */
  readonly startedMs: number;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;
  /** CRIU's log. */
  readonly log: CriuLog | undefined;
}

/** What came of {@link preCopy}: what was expected of the dump, beside what it took. */
export interface PreCopied {
  /** Why the rounds came to their end: see {@link Decision}. */
  readonly reason: Decision['reason'];
  /** The frozen time that was predicted for the dump, in milliseconds. */
  readonly estimatedFrozenTimeMs: number;
  /**
   * The frozen time that it took, in milliseconds; of a lazy dump, which stays frozen, the time
   * until it was ready to serve.
   */
  readonly frozenTimeMs: number;
}

/** Puts what a dump took beside what was expected of it. */
export function preCopied(decision: Decision, frozenTimeMs: number): PreCopied {
  const { reason, estimatedFrozenTimeMs } = decision;
  return { reason, estimatedFrozenTimeMs, frozenTimeMs };
}

/** The dump that ends an {@link Iteration}. */
export interface FinalDump extends Round {
  /** After {@link preCopy}: why it came to the dump, and what that was expected to take. */
  readonly preCopy?: PreCopied;
}
