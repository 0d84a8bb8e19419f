import type { Redis } from 'ioredis';
import { Semaphore } from 'redis-semaphore';
import type { FleetKeys } from '../redis/keys.ts';

/** How long the slot of an agent that has died stays taken, in milliseconds: longer than clocks may differ. */
const LOCK_MS = 120_000;
const REFRESH_MS = 20_000;
const RETRY_MS = 250;
/** The field of the limits. */
export const MOVES = 'moves';

/** The limit of all moves of a fleet at once. */
export class MoveSlots {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;

  constructor(redis: Redis, keys: FleetKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Waits for a slot, in which `task` is run. */
  async run<T>(step: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const limit = Number(await this.#redis.hget(this.#keys.limits, MOVES));
    if (!(limit > 0)) return await task();
    const slot = new Semaphore(this.#redis, this.#keys.moves, limit, {
      identifier: step,
      lockTimeout: LOCK_MS,
      refreshInterval: REFRESH_MS,
      retryInterval: RETRY_MS,
      acquireTimeout: Number.POSITIVE_INFINITY,
      // If Redis was emptied the move goes on, because to stop it would help nobody.
      onLockLost: () => {},
    });
    await slot.acquire(signal);
    try {
      return await task();
    } finally {
      await slot.release().catch(() => {});
    }
  }
}
