import type { Redis } from 'ioredis';
import { Mutex } from 'redis-semaphore';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import { fleetFailure } from '../failure.ts';
import type { FleetKeys } from '../redis/keys.ts';
import type { HostRecord, WorkloadRecord } from '../redis/records.ts';

/** After this many heartbeats without a word a host counts as lost. */
const MISSED = 3;

/** What a host says of itself. */
export interface Publisher {
  host(): Promise<HostRecord>;
  workloads(): Promise<readonly WorkloadRecord[]>;
}

/** The agent of a host. */
export interface PublishingAgent {
  readonly name: string;
  /** The id of its directory, by which the next agent there takes its lease over. */
  readonly id: string;
  readonly heartbeatMs: number;
  readonly publisher: Publisher;
}

/** Says in Redis what a host is and has, and holds the lease of its name. */
export class Publication {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #agent: PublishingAgent;
  /** Two renewals at once of a lease that has expired would each take the other for another agent. */
  readonly #queue = new SerialQueue();
  #lastWorkloads = '';

  constructor(redis: Redis, keys: FleetKeys, agent: PublishingAgent) {
    this.#redis = redis;
    this.#keys = keys;
    this.#agent = agent;
  }

  /**
   * Takes the lease of the name, or renews it.
   * @throws CriuError ERR_CRIU_FLEET if the agent of another directory has it
   */
  async hold(): Promise<void> {
    await this.#queue.run(() => this.#hold());
  }

  async #hold(): Promise<void> {
    if (await this.#mutex(true).tryAcquire()) return;
    if (await this.#mutex(false).tryAcquire()) return;
    const reason = `another agent is ${this.#agent.name}, with another directory or on another host`;
    throw fleetFailure('join', `${reason}: give this one another name, or end that one`);
  }

  #mutex(isHeld: boolean): Mutex {
    const { name, id, heartbeatMs } = this.#agent;
    return new Mutex(this.#redis, this.#keys.lease(name), {
      ...{ identifier: id, lockTimeout: MISSED * heartbeatMs },
      ...{ refreshInterval: 0, acquireAttemptsLimit: 1 },
      ...(isHeld && { acquiredExternally: true }),
    });
  }

  /** Says how the host is. Redis may have been emptied: everything is there again afterwards. */
  async beat(): Promise<void> {
    await this.#queue.run(() => this.#beat());
  }

  async #beat(): Promise<void> {
    const { name, publisher } = this.#agent;
    // The first description takes as long as a criu; the lease would run out meanwhile.
    const [host, workloads] = await Promise.all([publisher.host(), publisher.workloads()]);
    await this.#hold();
    const text = JSON.stringify(workloads);
    const { hosts, workloads: key, names } = this.#keys;
    const [, length] = await Promise.all([
      this.#redis.hset(hosts, name, JSON.stringify(host)),
      this.#redis.hstrlen(key, name),
    ]);
    if (text === this.#lastWorkloads && length === Buffer.byteLength(text)) return;
    await this.#redis.hset(key, name, text);
    // Those that came here were claimed by the host that started them.
    const claims = workloads.flatMap((workload) => [workload.name, name]);
    if (claims.length > 0) await this.#redis.hset(names, ...claims);
    this.#lastWorkloads = text;
    await this.announce(name);
  }

  /** Tells those who watch that something has changed. */
  async announce(what: string): Promise<void> {
    await this.#redis.publish(this.#keys.changes, what);
  }

  /** Gives the lease back. What the host has said stays, and it counts as lost. */
  async end(): Promise<void> {
    await this.#mutex(true).release();
  }
}
