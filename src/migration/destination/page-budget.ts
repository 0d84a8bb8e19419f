/** What a tree may grow by between its offer and its dump, in bytes, besides twice its memory. */
const GROWTH_BYTES = 256 << 20;
/** How often the memory may move in all: the default policy makes 8 rounds, and rounds after the first are smaller. */
const MAX_TIMES = 12;

/** How many bytes of pages a migration may still send, by the memory that was offered. */
export class PageBudget {
  readonly #perRound: number;
  readonly #total: number;
  #ofRound = 0;
  #ofAll = 0;

  constructor(memoryBytes: number) {
    this.#perRound = 2 * memoryBytes + GROWTH_BYTES;
    this.#total = MAX_TIMES * memoryBytes + GROWTH_BYTES;
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
