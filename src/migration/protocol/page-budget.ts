import { hasRounds, type MigrationMode } from './modes.ts';

/** What a tree may grow by between its offer and its dump, in bytes, besides twice its memory. */
const GROWTH_BYTES = 256 << 20;
/** How often all of the memory may move: in the eight rounds of the default policy, and in the dump. */
const MAX_TIMES = 9;

/** What decides how many bytes of pages a migration may send. */
interface Offered {
  readonly mode: MigrationMode;
  readonly memoryBytes: number;
}

/** How many bytes of pages a migration may still send, by what was offered. */
export class PageBudget {
  readonly #perRound: number;
  readonly #total: number;
  #ofRound = 0;
  #ofAll = 0;

  constructor(offered: Offered) {
    this.#perRound = 2 * offered.memoryBytes + GROWTH_BYTES;
    this.#total = hasRounds(offered.mode) ? totalOf(offered) : this.#perRound;
  }

  startRound(): void {
    this.#ofRound = 0;
  }

  /** Counts pages that have arrived. Returns false if that is more than was offered. */
  take(bytes: number): boolean {
    this.#ofRound += bytes;
    this.#ofAll += bytes;
    return this.#ofRound <= this.#perRound && this.#ofAll <= this.#total;
  }
}

/**
 * True if the destination accepts another round and then the dump, even if all of the memory moves in both.
 * @param rounds what each round so far has sent, in bytes
 */
export function fitsAnotherRound(offered: Offered, rounds: readonly number[]): boolean {
  const memoryBytes = Math.max(offered.memoryBytes, ...rounds);
  const sent = rounds.reduce((sum, bytes) => sum + bytes, 0);
  return sent + 2 * memoryBytes <= totalOf(offered);
}

function totalOf({ memoryBytes }: Offered): number {
  return MAX_TIMES * memoryBytes + GROWTH_BYTES;
}
