import type { Redis } from 'ioredis';
import { fleetFailure } from '../failure.ts';
import type { FleetKeys } from '../redis/keys.ts';
import { readWorkloadsOf } from '../redis/records.ts';

/**
 * Keeps two hosts from starting workloads of one name at once. It is not what decides where a workload is: that are
 * the hosts.
 */
export class WorkloadNames {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #host: string;

  constructor(redis: Redis, keys: FleetKeys, host: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#host = host;
  }

  /** @throws CriuError ERR_CRIU_FLEET if another host has it */
  async claim(name: string): Promise<void> {
    const { names } = this.#keys;
    if ((await this.#redis.hsetnx(names, name, this.#host)) === 1) return;
    const holder = await this.#redis.hget(names, name);
    if (holder !== null && holder !== this.#host) {
      const there = await readWorkloadsOf(this.#redis, this.#keys, holder);
      if (there.some((workload) => workload.name === name)) {
        throw fleetFailure('run', `${holder} has a workload ${name}`);
      }
    }
    // The claim is left from a workload that is there no more.
    await this.#redis.hset(names, name, this.#host);
  }

  async release(name: string): Promise<void> {
    if ((await this.#redis.hget(this.#keys.names, name)) === this.#host) {
      await this.#redis.hdel(this.#keys.names, name);
    }
  }
}
