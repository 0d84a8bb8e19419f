import type { MigrationMode } from './migrate.ts';

/**
 * What a migration is at.
 * - `offer`: the hosts tell each other what they can, and the destination whether it takes it.
 * - `connect`: the connections for pages are made.
 * - `rounds`: memory is copied while the processes run.
 * - `dump`: the processes are frozen, and dumped.
 * - `images`: all but the pages goes over.
 * - `prepare`: the destination restores, and holds.
 * - `switch-over`: the original is stopped for good, and addresses move.
 * - `hand-over`: the copy is let go.
 * - `pages`: the copy runs; the rest of its memory follows.
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

/** How far a migration is: at the beginning of each phase, after each round, and now and then. */
export interface MigrationEvent {
  /** What it is at. */
  readonly phase: MigrationPhase;
  /** Time since its beginning, in milliseconds. */
  readonly timeMs: number;
  /** The mode, once it is chosen. */
  readonly mode?: MigrationMode;
  /** The round that is done, from 0. */
  readonly round?: number;
  /** Memory and images that have gone over so far, in bytes. */
  readonly bytes?: number;
  /** All memory of the processes when they were offered, in bytes. */
  readonly totalBytes?: number;
  /** Pages of the round; in post-copy, those that the copy has. */
  readonly pages?: number;
  /** How fast bytes go over in this phase, or went in the round, in bytes a second. */
  readonly rate?: number;
  /** How fast memory changes, in bytes a second. */
  readonly dirtyRate?: number;
  /** For how long the processes would be frozen if they were dumped now, in milliseconds. */
  readonly estimatedDowntimeMs?: number;
  /** When the rest of the memory is there, in milliseconds from now. */
  readonly etaMs?: number;
}

/** Events for one that goes through them, however late. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #events: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(event: T): void {
    if (this.#ended) return;
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      for (let event = this.#events.shift(); event; event = this.#events.shift()) yield event;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
