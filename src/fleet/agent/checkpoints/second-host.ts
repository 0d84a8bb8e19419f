import { planPlacement } from '../../planner/plan-placement.ts';
import type { FleetHost, FleetView } from '../../view.ts';

/** What is asked of a second host. */
export interface SecondHostQuery {
  /** The name of the workload. */
  readonly workload: string;
  /** The name of the host that it is on. */
  readonly own: string;
  /** The size of the checkpoint, in bytes. */
  readonly bytes: number;
  /** The host that has the checkpoint before, as far as this agent knows. */
  readonly current: string | undefined;
  /** Hosts that have just refused it. */
  readonly exclude: readonly string[];
}

/**
 * The host that gets a copy of a checkpoint: the same one as long as it is alive, otherwise the one with the most free disk,
 * of those on which the workload could run if there are any. Undefined if there is none.
 */
export function secondHost(view: FleetView, query: SecondHostQuery): FleetHost | undefined {
  const { workload: name, own, bytes, exclude } = query;
  const workload = view.workloads.find((one) => one.name === name && one.host === own);
  const possible = view.hosts.filter(
    (host) =>
      host.name !== own &&
      host.isAlive &&
      !host.isFenced &&
      host.checkpointPort !== undefined &&
      host.facts.freeDiskBytes > bytes &&
      !exclude.includes(host.name),
  );
  // After a restart of the agent the other stores say which host it was.
  const before = query.current ?? workload?.checkpoint?.hosts.find((host) => host !== own);
  const current = possible.find((host) => host.name === before);
  if (current) return current;
  const ready = possible
    .filter(({ state }) => state === 'ready')
    .sort((one, other) => other.facts.freeDiskBytes - one.facts.freeDiskBytes);
  const facts = view.hosts.find((host) => host.name === own)?.facts;
  const runnable =
    workload &&
    ready.find((host) => {
      const alone = { ...view, hosts: [host] };
      return planPlacement(alone, { ...workload, facts }).host !== undefined;
    });
  return runnable ?? ready[0];
}
