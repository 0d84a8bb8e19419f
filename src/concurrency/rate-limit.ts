import { setTimeout as sleep } from 'node:timers/promises';
import { invalid } from '../errors.ts';

/** Bytes that need less time than this are not waited for one by one: timers are not that precise. */
const SHORTEST_PAUSE_MS = 10;
/** How much unused time counts for the bytes that follow, in milliseconds. It makes up for late timers. */
const MAX_CREDIT_MS = 50;

/** The time, in milliseconds. Tests use one of their own. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
};

/**
 * A number of bytes per second that several migrations share: give the same one to each. Those that send at a time have all of
 * it between them.
 *
 * @example
 * ```ts
 * const rateLimit = new RateLimit(100 * 2 ** 20);
 * const migrations = pids.map((pid) => criu.migrate(pid, { to, tls, rateLimit }));
 * ```
 */
export class RateLimit {
  /** The limit, in bytes per second. */
  readonly bytesPerSecond: number;
  readonly #clock: Clock;
  /** When the bytes forwarded so far have used up their time. */
  #dueAt = 0;

  /**
   * @param bytesPerSecond at least 1
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
   */
  constructor(bytesPerSecond: number);
  /** @internal */
  constructor(bytesPerSecond: number, clock: Clock);
  constructor(bytesPerSecond: number, clock: Clock = realClock) {
    const isRate = typeof bytesPerSecond === 'number' && bytesPerSecond >= 1;
    if (!isRate)
      throw invalid('RateLimit', 'bytesPerSecond', 'a number of at least 1', bytesPerSecond);
    this.bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /**
   * Uses up the time of these bytes, after that of all bytes before; resolves early if the signal aborts.
   * @internal
   */
  async wait(bytes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const now = this.#clock.now();
    this.#dueAt = Math.max(this.#dueAt, now - MAX_CREDIT_MS) + (bytes / this.bytesPerSecond) * 1000;
    const pauseMs = this.#dueAt - now;
    if (pauseMs >= SHORTEST_PAUSE_MS) await this.#clock.sleep(pauseMs, signal);
  }
}
