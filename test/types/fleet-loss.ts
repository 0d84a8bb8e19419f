// Tests of the types of checkpoints on schedule and recovery in node-criu/fleet, compiled as public.ts is.
import {
  type Fleet,
  type FleetOperation,
  type FleetView,
  type formatRestartPlan,
  type PlannedRestart,
  planRestart,
  type RecoverOptions,
  type RestartPlan,
} from 'node-criu/fleet';
import { same } from './same.ts';

export async function recover(fleet: Fleet, view: FleetView): Promise<RestartPlan> {
  const fenced: RecoverOptions = { fenced: true, strategy: 'pack' };
  const operation: FleetOperation = await fleet.recover('host-a', fenced);
  await operation.result();
  await fleet.recover('host-a', { fence: async (host: string) => void host });
  const plan: RestartPlan = await fleet.planRecover('host-a', { exclude: ['host-b'] });
  same<typeof plan.restarts, readonly PlannedRestart[]>();
  same<ReturnType<typeof formatRestartPlan>, string>();
  same<(typeof view.hosts)[number]['checkpointPort'], number | undefined>();

  // @ts-expect-error: a host is fenced, or is not recovered
  fleet.recover('host-a');
  // @ts-expect-error: the fencing is awaited
  fleet.recover('host-a', { fence: (host: string) => host.length });
  return planRestart(view, 'host-a');
}
