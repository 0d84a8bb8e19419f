import type { FleetHost, FleetWorkload } from '../view.ts';
import { DISK, MEMORY, RESERVED_MEMORY, type Shortage } from './objections.ts';

/**
 * What hosts have left, besides what is promised: to workloads that are being moved to them, and to the moves of the
 * plan. What a move frees is not given to another, because the move may fail.
 */
export class Capacity {
  readonly #hosts: readonly FleetHost[];
  /** Free memory besides headroom and promises, by host. */
  readonly #memory: Float64Array;
  readonly #disk: Float64Array;
  /** Moves to each host, those under way included. */
  readonly #incoming: Int32Array;

  constructor(
    hosts: readonly FleetHost[],
    index: ReadonlyMap<string, number>,
    workloads: readonly FleetWorkload[],
    headroom: number,
  ) {
    this.#hosts = hosts;
    this.#memory = Float64Array.from(
      hosts,
      ({ facts }) => facts.freeMemoryBytes - headroom * facts.memoryBytes,
    );
    this.#disk = Float64Array.from(hosts, ({ facts }) => facts.freeDiskBytes);
    this.#incoming = new Int32Array(hosts.length);
    for (const { state, movingTo, memoryBytes } of workloads) {
      const to = state === 'ended' || movingTo === undefined ? undefined : index.get(movingTo);
      if (to === undefined) continue;
      this.promise(to, memoryBytes);
      this.#disk[to] = (this.#disk[to] as number) - memoryBytes;
    }
  }

  /** Free memory besides headroom and promises, in bytes. May be negative. */
  free(host: number): number {
    return this.#memory[host] as number;
  }

  freeDisk(host: number): number {
    return this.#disk[host] as number;
  }

  /** @param usesDisk true if its pages are kept in files until the processes come */
  shortage(host: number, memoryBytes: number, usesDisk: boolean): Shortage | undefined {
    if (memoryBytes > this.free(host)) {
      const { freeMemoryBytes } = (this.#hosts[host] as FleetHost).facts;
      return memoryBytes > freeMemoryBytes ? MEMORY : RESERVED_MEMORY;
    }
    return usesDisk && memoryBytes > this.freeDisk(host) ? DISK : undefined;
  }

  /** How many moves to the host have to end before one of its slots is free, counted in rounds of all its slots. */
  roundsBefore(host: number): number {
    const { incoming } = (this.#hosts[host] as FleetHost).limits;
    return Math.floor((this.#incoming[host] as number) / Math.max(1, incoming));
  }

  promise(host: number, memoryBytes: number): void {
    this.#memory[host] = (this.#memory[host] as number) - memoryBytes;
    this.#incoming[host] = (this.#incoming[host] as number) + 1;
  }
}
