import { join } from 'node:path';
import type { DestinationState } from '../protocol/states.ts';
import type { Journal } from './journal.ts';

/** What a destination notes besides its state. */
export interface IncomingFacts {
  /** The root of the copy, as seen here. */
  readonly pid: number;
  /** When and where that was started, as startTimeOf says: another process may get its pid. */
  readonly startTime: string;
  /** All processes of the copy, the root first, each as `PID TICKS`. */
  readonly tree: readonly string[];
  /** It fetches pages after its restore. */
  readonly lazy: boolean;
  /** Why it ended. */
  readonly message: string;
  /** The process that sees to it: `PID`, and what startTimeOf says of it. */
  readonly agent: string;
}

/** The journal of a destination. */
export type IncomingJournal = Journal<DestinationState, IncomingFacts>;

/** The state of a migration, as its source is told. */
export interface How {
  readonly state: DestinationState;
  readonly pid: number;
  readonly message: string;
  readonly pages: number;
}

/** Where a destination keeps its journals. */
export function journalsOf(directory: string): string {
  return join(directory, 'incoming');
}
