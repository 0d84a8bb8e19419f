import type { FleetWorkload } from '../view.ts';
import type { Candidates } from './candidates.ts';

/** The parts of memory that are in use on the hosts among which a rebalance moves workloads. */
export class MemoryLevels {
  /** The part that is in use on all of them together, which moves do not change. */
  readonly mean: number;
  /** The hosts that take part: those that are alive, ready and not excluded. */
  readonly hosts: readonly number[];
  readonly #used: Float64Array;
  readonly #total: Float64Array;

  constructor(
    { hosts, index }: Candidates,
    workloads: readonly FleetWorkload[],
    excluded: readonly string[],
  ) {
    this.#total = Float64Array.from(hosts, ({ facts }) => facts.memoryBytes);
    this.#used = Float64Array.from(hosts, ({ facts }) => facts.memoryBytes - facts.freeMemoryBytes);
    for (const { state, host, movingTo, memoryBytes } of workloads) {
      if (state !== 'moving' || movingTo === undefined) continue;
      this.#add(index.get(host), -memoryBytes);
      this.#add(index.get(movingTo), memoryBytes);
    }
    this.hosts = hosts.flatMap(({ name, state, isAlive, isFenced, facts }, at) => {
      const isPart = isAlive && !isFenced && state === 'ready' && facts.memoryBytes > 0;
      return isPart && !excluded.includes(name) ? at : [];
    });
    const sum = (values: Float64Array) =>
      this.hosts.reduce((total, host) => total + (values[host] as number), 0);
    this.mean = this.hosts.length === 0 ? 0 : sum(this.#used) / sum(this.#total);
  }

  level(host: number): number {
    return (this.#used[host] as number) / (this.#total[host] as number);
  }

  /** The level once a host has that many bytes more. */
  levelWith(host: number, bytes: number): number {
    return ((this.#used[host] as number) + bytes) / (this.#total[host] as number);
  }

  /** How many bytes a host has in use above the mean. */
  excess(host: number): number {
    return (this.#used[host] as number) - this.mean * (this.#total[host] as number);
  }

  move(from: number, to: number, bytes: number): void {
    this.#add(from, -bytes);
    this.#add(to, bytes);
  }

  #add(host: number | undefined, bytes: number): void {
    if (host !== undefined) this.#used[host] = Math.max(0, (this.#used[host] as number) + bytes);
  }
}
