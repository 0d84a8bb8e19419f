import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Forwards at most `bytesPerSecond`, in chunks of at most a tenth of that. */
export function rateLimiter(bytesPerSecond: number): Transform {
  const chunkSize = Math.max(1, Math.floor(bytesPerSecond / 10));
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += chunkSize) {
        const part = chunk.subarray(at, at + chunkSize);
        this.push(part);
        await sleep((part.length / bytesPerSecond) * 1000);
      }
      done();
    },
  });
}
