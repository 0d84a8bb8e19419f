import { join } from 'node:path';
import type { Journal } from './journal.ts';
import type { DestinationState } from './states.ts';

/** What a destination notes besides its state. */
export interface IncomingFacts {
  /** The root of the copy, as seen here. */
  readonly pid: number;
  /** When that was started, by the kernel's clock: another process may get its pid. */
  readonly startTime: string;
  /** It fetches pages after its restore. */
  readonly lazy: boolean;
  /** Why it ended. */
  readonly message: string;
  /** The process that sees to it: `PID START_TIME`. */
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
