import type { FleetPlan, HostVerdict } from '../plan.ts';

/** Names of hosts that a reason comes with. */
const MAX_NAMES = 12;

/** Hosts of which a plan thinks the same. */
interface Reason {
  /** Why they are not possible; null if they are. */
  readonly objection: string | null;
  readonly hosts: readonly string[];
  readonly count: number;
}

/** A plan without the reasons of its moves being listed for each of a thousand hosts. */
export function planSummary({ moves, unplaced }: FleetPlan) {
  return {
    moves: moves.map(({ why, ...move }) => ({ ...move, why: reasons(why) })),
    unplaced: unplaced.map(({ why, ...workload }) => ({ ...workload, why: reasons(why) })),
  };
}

function reasons(why: readonly HostVerdict[]): Reason[] {
  const byObjection = new Map<string | null, string[]>();
  for (const { host, objection = null } of why) {
    const hosts = byObjection.get(objection);
    if (hosts) hosts.push(host);
    else byObjection.set(objection, [host]);
  }
  return [...byObjection].map(([objection, hosts]) => {
    return { objection, hosts: hosts.slice(0, MAX_NAMES), count: hosts.length };
  });
}
