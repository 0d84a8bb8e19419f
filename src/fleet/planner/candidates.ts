import type { HostObjection, PlacementStrategy } from '../plan.ts';
import type { FleetHost, FleetView } from '../view.ts';
import { AddressRanges } from './address-ranges.ts';
import { Capacity } from './capacity.ts';
import { Compatibility, type Origin } from './compatibility.ts';
import { HostLabels } from './host-labels.ts';
import { fulfils, Neighbours, type Selector } from './neighbours.ts';
import { DISK, type Objection, Objections } from './objections.ts';
import {
  DEFAULT_HEADROOM,
  type PlacementOptions,
  type WorkloadDescription,
} from './plan-options.ts';
import { percent } from './plan-text.ts';

/**
 * What it costs a host that a move has to wait for others to it, as a part of its memory: hosts that have about the same
 * part free are filled side by side, so that no host has all moves and the others none.
 */
const ROUND_COST = 0.02;

const NO_CONTAINERS = 'takes no containers';
const NO_USERFAULTFD = 'has no userfaultfd in its kernel, which post-copy needs';

/** What is placed: a workload whose conditions have been looked up. */
export interface Demand {
  readonly workload: WorkloadDescription;
  /** The host that it is moved from; undefined if it is started. */
  readonly from: number | undefined;
  readonly origin: Origin | undefined;
  readonly hostLabels: readonly (string | undefined)[] | undefined;
  readonly affinity: Selector | undefined;
  readonly antiAffinity: Selector | undefined;
  /** The hosts on which it would break the condition of another, and the objection. */
  readonly excluding: ReadonlyMap<number, string>;
}

/** The host that was chosen, and why. */
export interface Choice {
  /** Undefined if no host is possible. */
  readonly host: number | undefined;
  readonly reason: string;
  readonly objections: readonly HostObjection[];
}

/** Which hosts of a view can take what, as the moves of a plan fill them. */
export class Candidates {
  readonly hosts: readonly FleetHost[];
  /** Where each host is in the list, by name. */
  readonly index: ReadonlyMap<string, number>;
  readonly capacity: Capacity;
  readonly #neighbours: Neighbours;
  readonly #compatibility: Compatibility;
  readonly #hostLabels: HostLabels;
  readonly #ranges: AddressRanges;
  readonly #closed: (string | undefined)[];
  readonly #origins: (Origin | undefined)[] = [];
  /** The hosts that the plan empties. */
  readonly #emptied = new Set<number>();

  constructor({ hosts, workloads }: FleetView, options: PlacementOptions) {
    this.hosts = hosts;
    this.index = new Map(hosts.map(({ name }, at) => [name, at]));
    this.capacity = new Capacity(
      hosts,
      this.index,
      workloads,
      options.headroom ?? DEFAULT_HEADROOM,
    );
    this.#neighbours = new Neighbours(this.index, workloads);
    this.#compatibility = new Compatibility(hosts);
    this.#hostLabels = new HostLabels(hosts);
    this.#ranges = new AddressRanges(hosts);
    this.#closed = hosts.map(closedReason);
    for (const name of options.exclude ?? []) {
      const host = this.index.get(name);
      if (host !== undefined) this.close(host, 'is excluded');
    }
  }

  host(at: number): FleetHost {
    return this.hosts[at] as FleetHost;
  }

  /** Takes a host out of the destinations. */
  close(host: number, reason: string): void {
    this.#closed[host] ??= reason;
  }

  /** Takes a host out of the destinations, and lets groups of workloads that belong together leave it one by one. */
  empty(host: number): void {
    this.close(host, 'is to be emptied');
    this.#emptied.add(host);
  }

  /** Why nothing is placed on a host; undefined if something may be. */
  closedReason(host: number): string | undefined {
    return this.#closed[host];
  }

  /** @param from the host that the workload is moved from */
  demand(workload: WorkloadDescription, from?: number): Demand {
    const { placement = {}, labels = {}, facts } = workload;
    return {
      workload,
      from,
      origin: from === undefined ? facts && { facts, host: undefined } : this.#origin(from),
      hostLabels: this.#hostLabels.objections(placement.hostLabels),
      affinity: this.#bindingAffinity(workload, from),
      antiAffinity: this.#neighbours.selector(placement.antiAffinity),
      excluding: this.#neighbours.excluding(labels),
    };
  }

  /**
   * Finds the best host for a workload.
   * @param only the host that it has to be
   * @param also objections that only one kind of plan has
   */
  choose(
    demand: Demand,
    strategy: PlacementStrategy,
    { only, also }: { only?: number; also?(host: number): string | undefined } = {},
  ): Choice {
    const { memoryBytes } = demand.workload;
    const objections = new Objections();
    let best: number | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    let possible = 0;
    let mostFree = Number.NEGATIVE_INFINITY;
    const first = only ?? 0;
    const end = only === undefined ? this.hosts.length : only + 1;
    for (let host = first; host < end; host++) {
      // That it stays where it is needs no reason, unless that was asked for.
      if (host === demand.from && only === undefined) continue;
      const objection = this.#objection(demand, host) ?? also?.(host);
      if (objection !== undefined) {
        const free = objection === DISK ? this.capacity.freeDisk(host) : this.capacity.free(host);
        objections.add(this.host(host).name, objection, free);
        continue;
      }
      possible++;
      const free = this.#partFree(host, memoryBytes);
      if (free > mostFree) mostFree = free;
      const score =
        strategy === 'spread'
          ? free - ROUND_COST * this.capacity.roundsBefore(host)
          : -this.capacity.free(host);
      if (score > bestScore) [best, bestScore] = [host, score];
    }
    const list = objections.list(memoryBytes);
    if (best === undefined) return { host: best, reason: 'no host is possible', objections: list };
    const reason =
      only === undefined
        ? this.#reason(best, memoryBytes, strategy, possible, mostFree)
        : 'is the host that was asked for';
    return { host: best, reason, objections: list };
  }

  /** Counts a workload on the host that was chosen for it. */
  take({ workload }: Demand, host: number): void {
    this.capacity.promise(host, workload.memoryBytes);
    this.#neighbours.arrive(workload.labels ?? {}, workload.placement?.antiAffinity, host);
  }

  /** The first objection to a host: what lasts longest comes first, and memory, of which there may be more soon, last. */
  #objection(demand: Demand, host: number): Objection | undefined {
    const { workload, origin, affinity, antiAffinity } = demand;
    const { addresses = [], memoryBytes, allowPostCopy, kind } = workload;
    if (host === demand.from) return 'is where it runs';
    const lasting = this.#closed[host] ?? (origin && this.#compatibility.objection(origin, host));
    if (lasting !== undefined) return lasting;
    if (kind === 'container' && !this.host(host).takesContainers) return NO_CONTAINERS;
    if (allowPostCopy && !this.host(host).facts.lazyPages) return NO_USERFAULTFD;
    const missing = demand.hostLabels?.[host];
    if (missing !== undefined) return missing;
    const refused = addresses.length > 0 ? this.#ranges.objection(addresses, host) : undefined;
    if (refused !== undefined) return refused;
    if (affinity && !affinity.running.has(host)) return affinity.texts.absent;
    if (antiAffinity?.present.has(host)) return antiAffinity.texts.present;
    const excluding = demand.excluding.get(host);
    if (excluding !== undefined) return excluding;
    return this.capacity.shortage(host, memoryBytes, demand.from !== undefined);
  }

  /**
   * The affinity of a workload, if it binds it: the first of a group whose members belong together may go anywhere, once no
   * other is left that stays.
   */
  #bindingAffinity(
    { placement, labels = {} }: WorkloadDescription,
    from: number | undefined,
  ): Selector | undefined {
    const selector = this.#neighbours.selector(placement?.affinity);
    if (!selector || !fulfils(labels, selector.labels)) return selector;
    for (const [host, count] of selector.running) {
      const others = count - (host === from ? 1 : 0);
      if (others > 0 && !this.#emptied.has(host)) return selector;
    }
    return undefined;
  }

  #origin(host: number): Origin {
    const { name, facts } = this.host(host);
    this.#origins[host] ??= { facts, host: name };
    return this.#origins[host];
  }

  /** The part of its memory that a host has free once it has a workload. */
  #partFree(host: number, memoryBytes: number): number {
    return (
      (this.capacity.free(host) - memoryBytes) / Math.max(1, this.host(host).facts.memoryBytes)
    );
  }

  #reason(
    host: number,
    memoryBytes: number,
    strategy: PlacementStrategy,
    possible: number,
    mostFree: number,
  ): string {
    if (possible === 1) return 'is the only possible host';
    if (strategy === 'pack') return `has the least memory free of ${possible} possible hosts`;
    const free = this.#partFree(host, memoryBytes);
    const keeps = `keeps ${percent(free)} of its memory free`;
    return free === mostFree
      ? `${keeps}, the most of ${possible} possible hosts`
      : `${keeps}, and fewer moves come before; ${possible} hosts are possible`;
  }
}

/** Why nothing new is placed on a host, whatever it is. */
function closedReason({ state, isAlive, isFenced, limits }: FleetHost): string | undefined {
  if (isFenced) return 'is fenced';
  if (!isAlive) return 'is lost: its agent does not answer';
  if (state === 'cordoned') return 'is cordoned';
  if (state === 'draining') return 'is being drained';
  if (state === 'drained') return 'is drained';
  return limits.incoming < 1 ? 'takes no migrations: its limit of incoming ones is 0' : undefined;
}
