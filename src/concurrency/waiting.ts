import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for work, but no longer than until the signal: what comes of the work then is lost. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).then(() => {
    throw signal.reason;
  });
  return await Promise.race([work, aborted]).finally(() => over.abort());
}

/** Waits for work, but no longer than so many milliseconds. @throws Error if it has not ended by then */
export async function atMost<T>(ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it has not ended within ${ms} ms`);
  });
  return await Promise.race([work, late]).finally(() => over.abort());
}
