import type { FleetWorkload, Labels } from '../view.ts';
import { labelsText } from './plan-text.ts';

/** From how many selectors on an index of all labels is faster than to look at all workloads for each. */
const MIN_INDEXED = 3;

/** Labels that a condition asks for, and the hosts with workloads that have all of them. */
export interface Selector {
  readonly labels: Labels;
  /** The objections to hosts by this selector: one string each, because they are compared for each host and move. */
  readonly texts: { readonly absent: string; readonly present: string };
  /** How many run there and stay. */
  readonly running: Map<number, number>;
  /** Where some are, or will be. */
  readonly present: Set<number>;
}

/** A workload that wants to be apart from others, and where it is. */
interface Recluse {
  readonly antiAffinity: Labels;
  readonly hosts: readonly number[];
}

type ByLabel<T> = Map<string, Map<string, T[]>>;

/**
 * Which workloads are where, for affinity and anti-affinity. Departures are not counted: a host from which the plan
 * moves something is no destination of the same plan.
 */
export class Neighbours {
  readonly #hosts: ReadonlyMap<string, number>;
  readonly #workloads: readonly FleetWorkload[];
  readonly #selectors = new Map<string, Selector>();
  /** By the first label that they ask for. */
  readonly #recluses: ByLabel<Recluse> = new Map();
  readonly #arrivals: { readonly labels: Labels; readonly host: number }[] = [];
  #byLabel: ByLabel<FleetWorkload> | undefined;

  constructor(hosts: ReadonlyMap<string, number>, workloads: readonly FleetWorkload[]) {
    this.#hosts = hosts;
    this.#workloads = workloads;
    for (const workload of workloads) {
      const { antiAffinity } = workload.placement;
      if (antiAffinity === undefined || workload.state === 'ended') continue;
      this.#addRecluse(antiAffinity, this.#places(workload));
    }
  }

  /** The selector of a condition; undefined for no labels, which are no condition. */
  selector(given: Labels | undefined): Selector | undefined {
    if (given === undefined) return undefined;
    const entries = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return undefined;
    const key = JSON.stringify(entries);
    const known = this.#selectors.get(key);
    if (known) return known;
    const labels = Object.fromEntries(entries);
    const text = labelsText(labels);
    const texts = {
      absent: `runs nothing with ${text}`,
      present: `has a workload with ${text} already`,
    };
    const selector: Selector = { labels, texts, running: new Map(), present: new Set() };
    this.#selectors.set(key, selector);
    for (const workload of this.#withLabels(labels)) {
      const places = this.#places(workload);
      for (const host of places) selector.present.add(host);
      const [host] = places;
      if (workload.state === 'running' && host !== undefined) increase(selector.running, host);
    }
    for (const arrival of this.#arrivals) {
      if (fulfils(arrival.labels, labels)) addArrival(selector, arrival.host);
    }
    return selector;
  }

  /** The hosts with workloads that want to be apart from one with these labels, and the objection to each. */
  excluding(labels: Labels): ReadonlyMap<number, string> {
    const found = new Map<number, string>();
    for (const [name, value] of Object.entries(labels)) {
      for (const { antiAffinity, hosts } of this.#recluses.get(name)?.get(value) ?? []) {
        if (!fulfils(labels, antiAffinity)) continue;
        const text = `has a workload that is to be apart from ${labelsText(antiAffinity)}`;
        for (const host of hosts) found.set(host, text);
      }
    }
    return found;
  }

  /** Counts a workload that the plan places. */
  arrive(labels: Labels, antiAffinity: Labels | undefined, host: number): void {
    this.#arrivals.push({ labels, host });
    if (antiAffinity) this.#addRecluse(antiAffinity, [host]);
    for (const selector of this.#selectors.values()) {
      if (fulfils(labels, selector.labels)) addArrival(selector, host);
    }
  }

  #addRecluse(antiAffinity: Labels, hosts: readonly number[]): void {
    for (const name in antiAffinity) {
      addTo(this.#recluses, name, antiAffinity[name] as string, { antiAffinity, hosts });
      return;
    }
  }

  /** The hosts on which a workload is, or will be. */
  #places({ host, movingTo }: FleetWorkload): number[] {
    const places = movingTo === undefined ? [host] : [host, movingTo];
    return places.flatMap((name) => this.#hosts.get(name) ?? []);
  }

  /** The workloads with all of these labels that have not ended. */
  #withLabels(wanted: Labels): FleetWorkload[] {
    let among = this.#workloads;
    if (this.#selectors.size >= MIN_INDEXED) {
      this.#byLabel ??= indexed(this.#workloads);
      for (const [name, value] of Object.entries(wanted)) {
        const found = this.#byLabel.get(name)?.get(value) ?? [];
        if (found.length < among.length) among = found;
      }
    }
    return among.filter(({ state, labels }) => state !== 'ended' && fulfils(labels, wanted));
  }
}

/** True if the labels have all that are wanted. */
export function fulfils(labels: Labels, wanted: Labels): boolean {
  for (const name in wanted) if (labels[name] !== wanted[name]) return false;
  return true;
}

function indexed(workloads: readonly FleetWorkload[]): ByLabel<FleetWorkload> {
  const index: ByLabel<FleetWorkload> = new Map();
  for (const workload of workloads) {
    const { labels } = workload;
    for (const name in labels) addTo(index, name, labels[name] as string, workload);
  }
  return index;
}

function addTo<T>(index: ByLabel<T>, name: string, value: string, item: T): void {
  let values = index.get(name);
  if (!values) {
    values = new Map();
    index.set(name, values);
  }
  const list = values.get(value);
  if (list) list.push(item);
  else values.set(value, [item]);
}

function addArrival({ running, present }: Selector, host: number): void {
  increase(running, host);
  present.add(host);
}

function increase(counts: Map<number, number>, host: number): void {
  counts.set(host, (counts.get(host) ?? 0) + 1);
}
