import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CombinedSignal } from '../../src/concurrency/combined-signal.ts';
import { atMost, unlessAborted, within } from '../../src/concurrency/deadline.ts';
import { deferred } from '../../src/concurrency/deferred.ts';
import { SerialQueue } from '../../src/concurrency/serial-queue.ts';

describe('CombinedSignal', () => {
  test('is aborted as soon as one signal is, with its reason, even if that happened before', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const combined = new CombinedSignal([one.signal, undefined, other.signal]);
    expect(combined.signal.aborted).toBe(false);
    const reason = new Error('now');
    other.abort(reason);
    one.abort(new Error('later'));
    expect(combined.signal.reason).toBe(reason);
    expect(new CombinedSignal([other.signal]).signal.reason).toBe(reason);
  });

  test('stops following the signals once it is disposed', () => {
    const one = new AbortController();
    const combined = new CombinedSignal([one.signal]);
    combined[Symbol.dispose]();
    one.abort();
    expect(combined.signal.aborted).toBe(false);
  });
});

describe('SerialQueue', () => {
  test('runs one task after the other, and goes on after one that fails', async () => {
    const queue = new SerialQueue();
    const gate = deferred<void>();
    const order: string[] = [];
    const first = queue.run(async () => {
      order.push('first starts');
      await gate.promise;
      order.push('first fails');
      throw new Error('first');
    });
    const second = queue.run(() => order.push('second'));
    await sleep(1);
    expect(order).toEqual(['first starts']);
    gate.resolve();
    await expect(first).rejects.toThrow('first');
    expect(await second).toBe(3);
    await queue.idle();
    expect(order).toEqual(['first starts', 'first fails', 'second']);
  });
});

describe('deadlines', () => {
  const never = new Promise<string>(() => {});

  test('work that ends in time gives its result, or its error', async () => {
    const { signal } = new AbortController();
    const failing = async () => {
      throw new Error('broken');
    };
    expect(await within(1000, Promise.resolve('done'))).toBe('done');
    expect(await atMost(1000, Promise.resolve('done'))).toBe('done');
    expect(await unlessAborted(signal, Promise.resolve('done'))).toBe('done');
    await expect(within(1000, failing())).rejects.toThrow('broken');
    await expect(atMost(1000, failing())).rejects.toThrow('broken');
    await expect(unlessAborted(signal, failing())).rejects.toThrow('broken');
  });

  test('work that takes too long is no longer awaited', async () => {
    expect(await within(1, never)).toBeUndefined();
    expect(await within(1, never, 'late')).toBe('late');
    await expect(atMost(1, never)).rejects.toThrow('it has not ended within 1 ms');
  });

  test('a signal ends the wait with its reason', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(controller.signal, never);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(unlessAborted(controller.signal, never)).rejects.toThrow('enough');
  });
});
