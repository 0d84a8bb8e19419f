import { Transform, type TransformCallback } from 'node:stream';
import type { RateLimit } from '../concurrency/rate-limit.ts';

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
