import type { RateLimit } from '../../concurrency/rate-limit.ts';

/** Lets bytes pass elsewhere in portions, each after the time of the portion before it. */
export class Throttle {
  readonly #limit: RateLimit;
  readonly #onAllowed: () => void;
  readonly #ended = new AbortController();
  readonly #portion: number;
  #allowed = 0;
  #moved = 0;
  #charged = 0;
  #isWaiting = false;

  /** @param onAllowed called when more is allowed */
  constructor(limit: RateLimit, onAllowed: () => void) {
    this.#limit = limit;
    this.#onAllowed = onAllowed;
    this.#portion = Math.max(1, Math.floor(limit.bytesPerSecond / 10));
  }

  /** How many bytes may have passed in all. */
  get allowed(): number {
    return this.#allowed;
  }

  /** True while a portion waits for its time. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Allows the first portion. */
  begin(): void {
    this.#allowUpTo(this.#ended.signal.aborted ? Number.POSITIVE_INFINITY : this.#portion);
  }

  /** Allows the next portion in time, once the last has passed. */
  onMoved(bytes: number): void {
    this.#moved = bytes;
    if (!this.#isWaiting) void this.#charge();
  }

  /** Ends the limit: the rest may pass. */
  lift(): void {
    this.#ended.abort();
    this.#allowUpTo(Number.POSITIVE_INFINITY);
  }

  /** Ends the wait; nothing more is allowed. */
  end(): void {
    this.#ended.abort();
  }

  /** Charges what has moved until more is allowed than that: bytes may move during the wait, more than a portion. */
  async #charge(): Promise<void> {
    this.#isWaiting = true;
    while (this.#moved >= this.#allowed && !this.#ended.signal.aborted) {
      const portion = this.#moved - this.#charged;
      this.#charged = this.#moved;
      await this.#limit.wait(portion, this.#ended.signal);
      if (!this.#ended.signal.aborted) this.#allowUpTo(this.#charged + this.#portion);
    }
    this.#isWaiting = false;
  }

  #allowUpTo(bytes: number): void {
    this.#allowed = bytes;
    this.#onAllowed();
  }
}
