import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type Clock, RateLimit } from '../../src/concurrency/rate-limit.ts';
import { RateLimiter } from '../../src/postcopy/rate-limiter.ts';

/** A clock whose sleeps all end late, like timers on a busy machine. */
function lateClock(lateMs: number): Clock {
  let time = 0;
  const sleep = async (ms: number) => {
    time += ms + lateMs;
  };
  return { now: () => time, sleep };
}

const MIB = 1 << 20;

test.each([
  ['small chunks', 100 * MIB, 16 << 10, 40 * MIB],
  ['chunks of a tenth of a second', 100 * MIB, 10 * MIB, 40 * MIB],
  ['chunks longer than a second', 64 << 10, 1 << 20, 1 << 20],
])('%s leave at the rate of the limit, though timers are late', async (_, rate, chunk, total) => {
  const clock = lateClock(3);
  const limiter = new RateLimiter(new RateLimit(rate, clock));
  const chunks = Array.from({ length: total / chunk }, () => Buffer.alloc(chunk));
  expect((await buffer(Readable.from(chunks).pipe(limiter))).length).toBe(total);
  const ratio = total / (clock.now() / 1000) / rate;
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.1);
});

test('unused time is no licence for a burst', async () => {
  let now = 0;
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    now += ms;
    slept.push(ms);
  };
  const limiter = new RateLimiter(new RateLimit(1000, { now: () => now, sleep }));
  limiter.resume();
  await new Promise((resolve) => limiter.write(Buffer.alloc(100), resolve));
  now += 60_000;
  slept.length = 0;
  limiter.end(Buffer.alloc(1000));
  await once(limiter, 'end');
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(900);
});

test('a lifted limit forwards at once what waits', async () => {
  const limiter = new RateLimiter(new RateLimit(1));
  const all = buffer(limiter);
  limiter.end(Buffer.alloc(100_000));
  await once(limiter, 'readable');
  limiter.lift();
  expect((await all).length).toBe(100_000);
});

test('streams that share a limit keep to it together, and each gets its part', async () => {
  const clock = lateClock(3);
  const limit = new RateLimit(100 * MIB, clock);
  const amounts = await Promise.all(
    [1, 2, 3].map(async () => {
      const chunks = Array.from({ length: 20 }, () => Buffer.alloc(MIB));
      return (await buffer(Readable.from(chunks).pipe(new RateLimiter(limit)))).length;
    }),
  );
  expect(amounts).toEqual([20 * MIB, 20 * MIB, 20 * MIB]);
  expect((60 * MIB) / (clock.now() / 1000) / (100 * MIB)).toBeLessThan(1.1);
});

test('a limit that is no number of bytes is refused', () => {
  for (const bad of [0, -1, Number.NaN, '5']) {
    expect(() => new RateLimit(bad as number)).toThrow(
      expect.objectContaining({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'bytesPerSecond' }),
    );
  }
});
