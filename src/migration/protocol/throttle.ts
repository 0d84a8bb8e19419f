import type { RateLimit } from '../../concurrency/rate-limit.ts';

/** Lets bytes pass elsewhere in portions, each after the time of the portion before it. */
export class Throttle {
  readonly #limit: RateLimit;
  readonly #onAllowed: () => void;
  readonly #ended = new AbortController();
  readonly #portion: number;
  #allowed = 0;
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
    if (bytes < this.#allowed || this.#isWaiting) return;
    void this.#charge(bytes);
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

  async #charge(bytes: number): Promise<void> {
    this.#isWaiting = true;
    const portion = bytes - this.#charged;
    this.#charged = bytes;
    await this.#limit.wait(portion, this.#ended.signal);
    this.#isWaiting = false;
    if (!this.#ended.signal.aborted) this.#allowUpTo(bytes + this.#portion);
  }

  #allowUpTo(bytes: number): void {
    this.#allowed = bytes;
    this.#onAllowed();
  }
}
