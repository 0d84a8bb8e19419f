import { CriuError } from '../../errors.ts';
import type { FleetPlan, UnplacedWorkload } from '../plan.ts';
import type { FleetView } from '../view.ts';
import { Candidates } from './candidates.ts';
import { immovableReason } from './immovable.ts';
import { DEFAULT_STRATEGY, moveOptions, type PlanMoveOptions } from './plan-options.ts';
import { noHostReason } from './plan-text.ts';

/**
 * Plans to move one workload: to the best host, or to the one that `to` names. The plan has one move, or one unplaced
 * workload. A pure function of its arguments.
 * @param view what is known of the fleet
 * @param name the name of the workload
 * @throws CriuError ERR_CRIU_FLEET if there is no such workload or host; ERR_CRIU_INVALID_ARGUMENT
 */
export function planMove(view: FleetView, name: string, options: PlanMoveOptions = {}): FleetPlan {
  const checked = moveOptions(options);
  const workload = view.workloads.find((each) => each.name === name);
  if (!workload) throw unknown(`there is no workload ${JSON.stringify(name)}`);
  const candidates = new Candidates(view, checked);
  const only = checked.to === undefined ? undefined : candidates.index.get(checked.to);
  if (checked.to !== undefined && only === undefined) {
    throw unknown(`there is no host ${JSON.stringify(checked.to)}`);
  }
  const from = candidates.index.get(workload.host);
  const stay = (reason: string, objections: UnplacedWorkload['objections'] = []): FleetPlan => ({
    moves: [],
    unplaced: [{ workload: name, from: workload.host, reason, objections }],
    notes: [],
  });
  const own = immovableReason(workload, from === undefined ? undefined : candidates.host(from));
  if (own !== undefined) return stay(own);
  const choice = candidates.choose(
    candidates.demand(workload, from),
    checked.strategy ?? DEFAULT_STRATEGY,
    only === undefined ? {} : { only },
  );
  const { host, reason, objections } = choice;
  if (host === undefined) return stay(noHostReason(objections), objections);
  const to = candidates.host(host).name;
  const { host: source, memoryBytes } = workload;
  const move = { workload: name, from: source, to, memoryBytes, reason, objections };
  return { moves: [move], unplaced: [], notes: [] };
}

function unknown(message: string): CriuError {
  return new CriuError('ERR_CRIU_FLEET', `planMove: ${message} in the fleet`, {
    operation: 'planMove',
  });
}
