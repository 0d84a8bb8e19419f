import type { PlannedPlacement } from '../plan.ts';
import type { FleetView } from '../view.ts';
import { Candidates } from './candidates.ts';
import {
  DEFAULT_STRATEGY,
  type PlacementOptions,
  placementOptions,
  type WorkloadDescription,
} from './plan-options.ts';
import { noHostReason } from './plan-text.ts';

/**
 * Finds the host for a workload that is to be started, or restarted from a checkpoint. A pure function of its arguments.
 * @param view what is known of the fleet
 * @param workload what is to be placed; for a restart with `facts` of the host whose checkpoint it is
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for options that do not exist
 */
export function planPlacement(
  view: FleetView,
  workload: WorkloadDescription,
  options: PlacementOptions = {},
): PlannedPlacement {
  const checked = placementOptions('planPlacement', options);
  const { name } = workload;
  // What is placed is not in its own way, wherever it was seen last.
  const others =
    name === undefined ? view.workloads : view.workloads.filter((each) => each.name !== name);
  const candidates = new Candidates({ ...view, workloads: others }, checked);
  const { host, reason, objections } = candidates.choose(
    candidates.demand(workload),
    checked.strategy ?? DEFAULT_STRATEGY,
  );
  if (host === undefined) return { host, reason: noHostReason(objections), objections };
  return { host: candidates.host(host).name, reason, objections };
}
