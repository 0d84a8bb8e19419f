import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Lets through so many bytes a second, in pieces of a tenth of that at most. */
export function limited(rate: number): Transform {
  const piece = Math.max(1, Math.floor(rate / 10));
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += piece) {
        const part = chunk.subarray(at, at + piece);
        this.push(part);
        await sleep((part.length / rate) * 1000);
      }
      done();
    },
  });
}
