/** Calls back when a peer has been silent for too long. */
export class SilenceTimer {
  readonly #ms: number;
  readonly #onSilence: () => void;
  #heardAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onSilence: () => void) {
    this.#ms = ms;
    this.#onSilence = onSilence;
  }

  /** How long the peer has been silent, in milliseconds. */
  get silentForMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** Notes a sign of life, and starts the timer again if `isArmed`. */
  heard(isArmed: boolean): void {
    this.#heardAt = performance.now();
    this.stop();
    if (isArmed) this.#timer = setTimeout(this.#onSilence, this.#ms).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
