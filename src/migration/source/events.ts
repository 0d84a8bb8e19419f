import type { MigrationMode } from '../protocol/modes.ts';

/**
 * The phase of a migration.
 * - `offer`: the hosts exchange what they support, and the destination accepts or refuses.
 * - `connect`: the connections for pages are opened.
 * - `rounds`: memory is copied while the processes run.
 * - `dump`: the processes are frozen and dumped.
 * - `images`: all images except the pages are sent.
 * - `prepare`: the destination restores the copy and holds it.
 * - `switch-over`: the original is stopped for good, and addresses move.
 * - `hand-over`: the destination lets the copy run.
 * - `pages`: the copy runs, and the rest of its memory follows.
 * - `done`: the original has ended.
 */
export type MigrationPhase =
  | 'offer'
  | 'connect'
  | 'rounds'
  | 'dump'
  | 'images'
  | 'prepare'
  | 'switch-over'
  | 'hand-over'
  | 'pages'
  | 'done';

/** The progress of a migration: reported when a phase begins, after each round, and every 250 ms. */
export interface MigrationEvent {
  /** The current phase. */
  readonly phase: MigrationPhase;
  /** Time since the migration began, in milliseconds. */
  readonly timeMs: number;
  /** The mode, once it is chosen. */
  readonly mode?: MigrationMode;
  /** The index of the round that has just ended, from 0. */
  readonly round?: number;
  /** Memory and images sent so far, in bytes. */
  readonly bytes?: number;
  /** All memory of the processes at the time of the offer, in bytes. */
  readonly totalBytes?: number;
  /** Pages written in the round; in `post-copy` the pages that the copy has received. */
  readonly pages?: number;
  /** The rate of this phase or round, in bytes per second. */
  readonly rate?: number;
  /** How fast the processes change memory, in bytes per second. */
  readonly dirtyRate?: number;
  /** How long the processes would be frozen if they were dumped now, in milliseconds. */
  readonly estimatedDowntimeMs?: number;
  /** Estimated time until the rest of the memory has arrived, in milliseconds. */
  readonly etaMs?: number;
}

/**
 * Buffers events for a consumer that may be slow. Milestones are all kept, in order. Of the other
 * events between two milestones only the newest is kept, so that an unread queue stays small.
 */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #isMilestone: (event: T, previous: T | undefined) => boolean;
  readonly #queued: { event: T; isMilestone: boolean }[] = [];
  #last: T | undefined;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(isMilestone: (event: T, previous: T | undefined) => boolean) {
    this.#isMilestone = isMilestone;
  }

  /** How many events wait to be read. */
  get size(): number {
    return this.#queued.length;
  }

  push(event: T): void {
    if (this.#hasEnded) return;
    const isMilestone = this.#isMilestone(event, this.#last);
    this.#last = event;
    if (this.#queued.at(-1)?.isMilestone === false) this.#queued.pop();
    this.#queued.push({ event, isMilestone });
    this.#wake?.();
  }

  /** Ends the iteration once all queued events are read. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      for (let next = this.#queued.shift(); next; next = this.#queued.shift()) yield next.event;
      if (this.#hasEnded) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The events of a migration: the start of each phase and the end of each round are milestones. */
export function migrationEvents(): EventQueue<MigrationEvent> {
  return new EventQueue(
    ({ phase, round }, previous) => phase !== previous?.phase || round !== undefined,
  );
}
