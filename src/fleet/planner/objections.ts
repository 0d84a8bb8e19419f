import { formatBytes } from '../../report/quantities.ts';
import type { HostObjection } from '../plan.ts';

/** How many hosts an objection names. */
const MAX_NAMES = 10;

/** Too little space on a host. Its text needs the numbers of all hosts that lack it, so it is made last. */
export interface Shortage {
  readonly what: string;
  readonly besides: string;
}

/** Too little memory, however few other moves there are. */
export const MEMORY: Shortage = { what: 'free', besides: '' };
/** Enough memory, if it were not for the headroom and other moves. */
export const RESERVED_MEMORY: Shortage = {
  what: 'free',
  besides: ', besides its headroom and what other moves need',
};
/** Too little disk for the pages that arrive before the processes. */
export const DISK: Shortage = { what: 'of disk free', besides: '' };

/** Why a host is not possible. */
export type Objection = string | Shortage;

/** The objections to the hosts for one workload, grouped by what they say. */
export class Objections {
  readonly #groups = new Map<
    Objection,
    { count: number; readonly hosts: string[]; mostFree: number }
  >();

  /** @param freeBytes what the host has of what is short */
  add(host: string, objection: Objection, freeBytes = 0): void {
    const group = this.#groups.get(objection);
    if (!group) {
      this.#groups.set(objection, { count: 1, hosts: [host], mostFree: freeBytes });
      return;
    }
    group.count++;
    if (group.hosts.length < MAX_NAMES) group.hosts.push(host);
    if (freeBytes > group.mostFree) group.mostFree = freeBytes;
  }

  /** @param neededBytes what the workload needs of what is short */
  list(neededBytes: number): HostObjection[] {
    const all = [...this.#groups].map(([given, { count, hosts, mostFree }]) => {
      if (typeof given === 'string') return { objection: given, count, hosts };
      const most = count > 1 ? 'at most ' : '';
      const free = mostFree < 1 ? 'nothing' : `${most}${formatBytes(Math.floor(mostFree))}`;
      const needed = `of the ${formatBytes(neededBytes)} needed`;
      const objection = `has ${free} ${given.what} ${needed}${given.besides}`;
      return { objection, count, hosts };
    });
    return all.sort((a, b) => b.count - a.count || (a.objection < b.objection ? -1 : 1));
  }
}
