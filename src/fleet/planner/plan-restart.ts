import type { HostObjection, UnplacedWorkload } from '../plan.ts';
import type { FleetView, FleetWorkload } from '../view.ts';
import { type PlacementOptions, placementOptions } from './plan-options.ts';
import { planPlacement } from './plan-placement.ts';

/** A restart that a plan proposes. */
export interface PlannedRestart {
  /** The name of the workload. */
  readonly workload: string;
  /** The host that is lost. */
  readonly from: string;
  /** The host that restarts it. */
  readonly to: string;
  /** The id of its checkpoint, which that host holds. */
  readonly checkpoint: string;
  /** When the checkpoint was begun, in milliseconds since 1970: what it did after that is lost. */
  readonly at: number;
  /** The generation of the new copy. */
  readonly generation: number;
  /** Its memory when its host was last heard of, in bytes. */
  readonly memoryBytes: number;
  /** Why that host, in one line. */
  readonly reason: string;
}

/** What is to be restarted after the loss of a host, and what cannot be. */
export interface RestartPlan {
  /** The restarts, sorted by the names of the workloads. */
  readonly restarts: readonly PlannedRestart[];
  /** The workloads that are lost, and why, sorted by name. */
  readonly unplaced: readonly UnplacedWorkload[];
}

/**
 * Plans where the workloads of a lost host are restarted from their last checkpoints: on hosts that hold these. A pure
 * function of its arguments. Nothing is done by making a plan.
 * @param view what is known of the fleet
 * @param lostHost the name of the host
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for options that do not exist
 */
export function planRestart(
  view: FleetView,
  lostHost: string,
  options: PlacementOptions = {},
): RestartPlan {
  const checked = placementOptions('planRestart', options);
  const facts = view.hosts.find(({ name }) => name === lostHost)?.facts;
  const lost = view.workloads.filter(({ host }) => host === lostHost);
  const restarts: PlannedRestart[] = [];
  const unplaced: UnplacedWorkload[] = [];
  let seen = view;
  for (const workload of lost) {
    const { name, checkpoint, memoryBytes, generation } = workload;
    const stays = (reason: string, objections: readonly HostObjection[] = []) => {
      unplaced.push({ workload: name, from: lostHost, reason, objections });
    };
    const obstacle = obstacleOf(view, workload);
    if (obstacle !== undefined || !checkpoint) {
      stays(obstacle ?? 'it has no checkpoint');
      continue;
    }
    const holders = seen.hosts.filter((host) => checkpoint.hosts.includes(host.name));
    const { host, reason, objections } = planPlacement(
      { ...seen, hosts: holders },
      { ...workload, facts },
      checked,
    );
    if (host === undefined) {
      stays(`no host that holds its checkpoint can run it: ${reason}`, objections);
      continue;
    }
    const { id, at } = checkpoint;
    const planned = { workload: name, from: lostHost, to: host, checkpoint: id, at };
    restarts.push({ ...planned, generation: generation + 1, memoryBytes, reason });
    // The next one finds the memory taken.
    const moved = { ...workload, movingTo: host };
    seen = { ...seen, workloads: seen.workloads.map((one) => (one === workload ? moved : one)) };
  }
  return { restarts, unplaced };
}

function obstacleOf(view: FleetView, workload: FleetWorkload): string | undefined {
  const { name, host, state } = workload;
  const other = view.workloads.find((one) => one.name === name && one.host !== host);
  if (other) return `${other.host} has it`;
  if (state === 'ended') return 'it had ended';
  if (state === 'running') return undefined;
  return 'it was being moved: the host that it was moved to may have it';
}
