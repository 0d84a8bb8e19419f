// Tests of the types of plans in node-criu/fleet, compiled as public.ts is.
import {
  type FleetPlan,
  type FleetView,
  type FleetWorkload,
  formatPlan,
  type HostObjection,
  type PlacementOptions,
  type PlacementStrategy,
  type PlanDrainOptions,
  type PlanMoveOptions,
  type PlannedMove,
  type PlannedPlacement,
  type PlanRebalanceOptions,
  planDrain,
  planMove,
  planPlacement,
  planRebalance,
  type UnplacedWorkload,
  type WorkloadDescription,
} from 'node-criu/fleet';
import { same } from './same.ts';

export function plans(view: FleetView, known: FleetWorkload): string {
  const strategy: PlacementStrategy = 'pack';
  const options: PlacementOptions = { strategy, headroom: 0.1, exclude: ['host-a'] };
  const workload: WorkloadDescription = { memoryBytes: 2 ** 30, labels: { app: 'web' } };
  const placement: PlannedPlacement = planPlacement(view, workload, options);
  same<typeof placement.host, string | undefined>();
  same<typeof placement.objections, readonly HostObjection[]>();
  planPlacement(view, known);
  planPlacement(view, { ...known, facts: view.hosts[0]?.facts });

  const to: PlanMoveOptions = { ...options, to: 'host-b' };
  const plan: FleetPlan = planMove(view, 'web-1', to);
  same<typeof plan.moves, readonly PlannedMove[]>();
  same<typeof plan.unplaced, readonly UnplacedWorkload[]>();
  const drain: PlanDrainOptions = options;
  planDrain(view, 'host-a', drain);
  planDrain(view, ['host-a', 'host-b']);
  const rebalance: PlanRebalanceOptions = { ...options, threshold: 0.2, hysteresis: 0.05 };
  planRebalance(view, { ...rebalance, maxMoves: 20 });

  // @ts-expect-error: the memory is missing
  planPlacement(view, { labels: {} });
  // @ts-expect-error: no such strategy
  planDrain(view, 'host-a', { strategy: 'random' });
  // @ts-expect-error: a plan cannot be changed
  plan.moves.push();
  return formatPlan(plan);
}
