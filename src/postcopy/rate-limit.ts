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

/** A number of bytes per second, which several streams may share. */
export class RateLimit {
  readonly bytesPerSecond: number;
  readonly #clock: Clock;
  /** When the bytes forwarded so far have used up their time. */
  #dueAt = 0;

  constructor(bytesPerSecond: number, clock: Clock = realClock) {
    this.bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Uses up the time of these bytes, after that of all bytes before; resolves early if the signal aborts. */
  async wait(bytes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const now = this.#clock.now();
    this.#dueAt = Math.max(this.#dueAt, now - MAX_CREDIT_MS) + (bytes / this.bytesPerSecond) * 1000;
    const pauseMs = this.#dueAt - now;
    if (pauseMs >= SHORTEST_PAUSE_MS) await this.#clock.sleep(pauseMs, signal);
  }
}

/** Forwards bytes evenly, within a limit, until the limit is lifted. */
export class RateLimiter extends Transform {
  readonly #limit: RateLimit;
  readonly #lifted = new AbortController();

  constructor(limit: RateLimit) {
    super();
    this.#limit = limit;
  }

  /** Ends the limit for this stream. */
  lift(): void {
    this.#lifted.abort();
  }

  override async _transform(chunk: Buffer, _: string, done: TransformCallback): Promise<void> {
    const partSize = Math.max(1, Math.floor(this.#limit.bytesPerSecond / 10));
    for (let at = 0; at < chunk.length; at += partSize) {
      const part = chunk.subarray(at, at + partSize);
      this.push(part);
      await this.#limit.wait(part.length, this.#lifted.signal);
    }
    done();
  }
}
