import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Bytes that need less time than this are not waited for one by one: timers are not that precise. */
const SHORTEST_PAUSE_MS = 10;
/** How much unused time counts for the bytes that follow, in milliseconds. It makes up for late timers. */
const MAX_CREDIT_MS = 50;

/** The time, in milliseconds. Tests use one of their own. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
};

/** Forwards at most `bytesPerSecond`, evenly, until the limit is lifted. */
export class RateLimiter extends Transform {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  readonly #lifted = new AbortController();
  /** When the bytes forwarded so far have used up their time. */
  #dueAt = 0;

  constructor(bytesPerSecond: number, clock: Clock = realClock) {
    super();
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Ends the limit. */
  lift(): void {
    this.#lifted.abort();
  }

  override async _transform(chunk: Buffer, _: string, done: TransformCallback): Promise<void> {
    const partSize = Math.max(1, Math.floor(this.#bytesPerSecond / 10));
    for (let at = 0; at < chunk.length; at += partSize) {
      const part = chunk.subarray(at, at + partSize);
      this.push(part);
      await this.#untilDue(part.length);
    }
    done();
  }

  async #untilDue(bytes: number): Promise<void> {
    const { signal } = this.#lifted;
    if (signal.aborted) return;
    const now = this.#clock.now();
    this.#dueAt =
      Math.max(this.#dueAt, now - MAX_CREDIT_MS) + (bytes / this.#bytesPerSecond) * 1000;
    const pauseMs = this.#dueAt - now;
    if (pauseMs >= SHORTEST_PAUSE_MS) await this.#clock.sleep(pauseMs, signal);
  }
}
