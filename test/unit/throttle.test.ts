import { expect, test } from 'vitest';
import { RateLimit } from '../../src/concurrency/rate-limit.ts';
import { Throttle } from '../../src/migration/protocol/throttle.ts';
import { waitFor } from '../helpers/workload.ts';

test('what passes beyond what is allowed is charged as well, and the next portion comes after it', async () => {
  let time = 0;
  const sleep = async (ms: number) => {
    time += ms;
  };
  const throttle = new Throttle(new RateLimit(1000, { now: () => time, sleep }), () => {});
  throttle.begin();
  expect(throttle.allowed).toBe(100);
  throttle.onMoved(100);
  // During the wait, and more than the next portion.
  throttle.onMoved(350);
  await waitFor(() => !throttle.isWaiting, 'all is charged');
  expect(throttle.allowed).toBe(450);
  expect(time).toBe(350);
});
