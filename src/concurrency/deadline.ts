import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for work until a signal is aborted. The work continues, and its result is dropped.
 * @throws the reason of the signal
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).then(() => {
    throw signal.reason;
  });
  return await Promise.race([work, aborted]).finally(() => over.abort());
}

/**
 * Waits for work for a limited time. The work continues, and its result is dropped.
 * @throws Error if the work has not ended by then
 */
export async function atMost<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Symbol('late');
  const result = await within(ms, work, late);
  if (result === late) throw new Error(`it has not ended within ${ms} ms`);
  return result as T;
}

/**
 * Waits for work for a limited time, during which the timer keeps Node running.
 * @returns the result of the work, or `otherwise` if it has not ended by then
 */
export async function within<T, U = undefined>(
  ms: number,
  work: Promise<T>,
  otherwise?: U,
): Promise<T | U> {
  const over = new AbortController();
  const late = sleep(ms, otherwise as U, { signal: over.signal });
  // Aborting the timer rejects its promise.
  late.catch(() => {});
  return await Promise.race([work, late]).finally(() => over.abort());
}
