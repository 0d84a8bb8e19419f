import { expect, test } from 'vitest';
import { CombinedSignal } from '../../src/concurrency/combined-signal.ts';

test('is aborted as soon as one is, for the same reason, also if that was before', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const combined = new CombinedSignal([one.signal, undefined, other.signal]);
  expect(combined.signal.aborted).toBe(false);
  const reason = new Error('now');
  other.abort(reason);
  one.abort(new Error('later'));
  expect(combined.signal.reason).toBe(reason);
  expect(new CombinedSignal([other.signal]).signal.reason).toBe(reason);
});

test('follows no longer once it is disposed of', () => {
  const one = new AbortController();
  const combined = new CombinedSignal([one.signal]);
  combined[Symbol.dispose]();
  one.abort();
  expect(combined.signal.aborted).toBe(false);
});
