import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Cancellation } from '../../src/concurrency/cancellation.ts';
import type { OperationOptions } from '../../src/options/types.ts';
import { failureOf } from '../helpers/failures.ts';

function cancellationOf(options: OperationOptions): Cancellation {
  const cancellation = new Cancellation('dump', options);
  onTestFinished(() => cancellation[Symbol.dispose]());
  return cancellation;
}

test('does not cancel without a signal or a deadline', async () => {
  const cancellation = cancellationOf({});
  expect(cancellation).toMatchObject({ graceMs: 5000, reason: undefined });
  expect(() => cancellation.throwIfRequested()).not.toThrow();
  expect(await Promise.race([cancellation.requested, sleep(5, 'not yet')])).toBe('not yet');
});

test("cancels when its signal is aborted, with the signal's reason as the cause", async () => {
  const controller = new AbortController();
  const cancellation = cancellationOf({ signal: controller.signal, gracePeriodMs: 0 });
  expect(cancellation.reason).toBeUndefined();
  const cause = new Error('enough');
  controller.abort(cause);
  await cancellation.requested;
  expect(cancellation).toMatchObject({
    graceMs: 0,
    reason: { code: 'ERR_CRIU_ABORTED', operation: 'dump', cause },
  });
  expect(await failureOf(() => cancellation.throwIfRequested())).toBe(cancellation.reason);
});

test('cancels at once if its signal is aborted already', async () => {
  const cancellation = cancellationOf({ signal: AbortSignal.abort('why') });
  expect(cancellation.reason).toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: 'why' });
  await cancellation.requested;
});

test.each([0, 10])('cancels after a deadline of %i ms', async (deadlineMs) => {
  const cancellation = cancellationOf({ deadlineMs });
  expect(cancellation.reason).toBeUndefined();
  await cancellation.requested;
  expect(cancellation.reason).toMatchObject({
    code: 'ERR_CRIU_TIMEOUT',
    message: `dump was not done within ${deadlineMs} ms`,
  });
});

test('keeps the first reason', async () => {
  const controller = new AbortController();
  const cancellation = cancellationOf({ signal: controller.signal, deadlineMs: 5 });
  await cancellation.requested;
  controller.abort();
  expect(cancellation.reason?.code).toBe('ERR_CRIU_TIMEOUT');

  const aborted = cancellationOf({ signal: AbortSignal.abort(), deadlineMs: 1 });
  await sleep(20);
  expect(aborted.reason?.code).toBe('ERR_CRIU_ABORTED');
});

test('follows neither signal nor deadline once it is disposed', async () => {
  const { signal } = new AbortController();
  const cancellation = new Cancellation('dump', { signal, deadlineMs: 5 });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  cancellation[Symbol.dispose]();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  await sleep(20);
  expect(cancellation.reason).toBeUndefined();
});
