import type { Redis } from 'ioredis';
import type { FleetKeys } from '../../redis/keys.ts';

/** Takes a claim that is free, this host's own, or that of a host that is fenced since. */
const CLAIM = `
local holder = redis.call('HGET', KEYS[1], ARGV[1])
if holder and holder ~= ARGV[2] and redis.call('HEXISTS', KEYS[2], holder) == 0 then return holder end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ''
`;

/** Gives a claim back if it is this host's. */
const RELEASE = `
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
`;

/** Lets one host at a time restart a workload, although two operators may have ordered it from two. */
export class RestartClaims {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #host: string;

  constructor(redis: Redis, keys: FleetKeys, host: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#host = host;
  }

  /** @returns the name of the host that has it; undefined once this one has it */
  async take(workload: string): Promise<string | undefined> {
    const { restarts, fenced } = this.#keys;
    const holder = await this.#redis.eval(CLAIM, 2, restarts, fenced, workload, this.#host);
    return holder === '' ? undefined : String(holder);
  }

  async release(workload: string): Promise<void> {
    await this.#redis.eval(RELEASE, 1, this.#keys.restarts, workload, this.#host);
  }
}
