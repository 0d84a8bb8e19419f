import type { CriuLog, RestoreStats } from '../index.ts';
import type { Container } from './container.ts';

/** The result of {@link restoreContainer}. */
export interface RestoredContainer {
  readonly container: Container;
  /** CRIU's statistics of the restore. */
  readonly stats: RestoreStats;
  /** CRIU's log of the restore. */
  readonly log: CriuLog | undefined;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;
}
