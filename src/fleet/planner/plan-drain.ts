import { CriuError } from '../../errors.ts';
import type { FleetPlan, PlannedMove, UnplacedWorkload } from '../plan.ts';
import type { FleetView, FleetWorkload } from '../view.ts';
import { Candidates } from './candidates.ts';
import { immovableReason } from './immovable.ts';
import { inOrder } from './move-order.ts';
import { DEFAULT_STRATEGY, type PlanDrainOptions, placementOptions } from './plan-options.ts';
import { noHostReason } from './plan-text.ts';

/**
 * Plans to move all workloads from a host, or from several at once, none of which is then a destination. Each workload of
 * them is in a move, or unplaced with the reason; one that has ended is in neither. A pure function of its arguments.
 * @param view what is known of the fleet
 * @param hosts the names of the hosts
 * @throws CriuError ERR_CRIU_FLEET if there is no such host; ERR_CRIU_INVALID_ARGUMENT
 */
export function planDrain(
  view: FleetView,
  hosts: string | readonly string[],
  options: PlanDrainOptions = {},
): FleetPlan {
  const checked = placementOptions('planDrain', options);
  const candidates = new Candidates(view, checked);
  const drained = new Set(typeof hosts === 'string' ? [hosts] : hosts);
  for (const name of drained) candidates.empty(indexOf(candidates, name));
  const moves: PlannedMove[] = [];
  const unplaced: UnplacedWorkload[] = [];
  const stay = (
    { name: workload, host: from }: FleetWorkload,
    reason: string,
    objections: UnplacedWorkload['objections'] = [],
  ) => unplaced.push({ workload, from, reason, objections });
  const pending: FleetWorkload[] = [];
  for (const workload of view.workloads) {
    const { host, state, movingTo } = workload;
    if (state === 'ended') continue;
    if (!drained.has(host)) {
      if (movingTo !== undefined && drained.has(movingTo)) {
        stay(workload, `it is being moved to ${movingTo}; drain that again afterwards`);
      }
      continue;
    }
    const own = immovableReason(workload, candidates.host(indexOf(candidates, host)));
    if (own === undefined) pending.push(workload);
    else stay(workload, own);
  }
  const place = (workload: FleetWorkload, isLast: boolean): boolean => {
    const demand = candidates.demand(workload, indexOf(candidates, workload.host));
    const { host, reason, objections } = candidates.choose(
      demand,
      checked.strategy ?? DEFAULT_STRATEGY,
    );
    const { name, host: from, memoryBytes } = workload;
    if (host !== undefined) {
      candidates.take(demand, host);
      const to = candidates.host(host).name;
      moves.push({ workload: name, from, to, memoryBytes, reason, objections });
    } else if (isLast) stay(workload, noHostReason(objections), objections);
    return host !== undefined;
  };
  placeAll(pending, place);
  return {
    moves: inOrder(moves, (name) => candidates.hosts[indexOf(candidates, name)]?.limits),
    unplaced: unplaced.sort((a, b) => (a.workload < b.workload ? -1 : 1)),
    notes: [],
  };
}

/**
 * Places the largest first, because small ones fit into what they leave. What has to be beside another comes after that
 * one, and is tried as long as others find a place.
 */
function placeAll(
  pending: FleetWorkload[],
  place: (workload: FleetWorkload, isLast: boolean) => boolean,
): void {
  pending.sort((a, b) => b.memoryBytes - a.memoryBytes || (a.name < b.name ? -1 : 1));
  const isBound = ({ placement }: FleetWorkload) =>
    Object.keys(placement.affinity ?? {}).length > 0;
  for (const workload of pending) if (!isBound(workload)) place(workload, true);
  let bound = pending.filter(isBound);
  for (let before = -1; bound.length !== before; ) {
    before = bound.length;
    bound = bound.filter((workload) => !place(workload, false));
  }
  for (const workload of bound) place(workload, true);
}

function indexOf(candidates: Candidates, name: string): number {
  const host = candidates.index.get(name);
  if (host !== undefined) return host;
  const message = `planDrain: there is no host ${JSON.stringify(name)} in the fleet`;
  throw new CriuError('ERR_CRIU_FLEET', message, { operation: 'planDrain' });
}
