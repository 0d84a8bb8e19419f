export { FleetMember } from './fleet/agent/fleet-member.ts';
export type {
  FleetMemberHooks,
  JoinOptions,
  MemberContainers,
} from './fleet/agent/member-options.ts';
export type { DashboardOptions } from './fleet/dashboard/dashboard-options.ts';
export { type Dashboard, serveDashboard } from './fleet/dashboard/serve-dashboard.ts';
export type { DashboardQueue, DashboardSource } from './fleet/dashboard/source.ts';
export { Fleet } from './fleet/fleet.ts';
export type { FleetOptions, OperatorIdentity } from './fleet/fleet-options.ts';
export { fleetMetrics } from './fleet/metrics/fleet-metrics.ts';
export { MoveTotals } from './fleet/metrics/move-totals.ts';
export type {
  FleetOperationKind,
  FleetOperationState,
  FleetOperationView,
  FleetStep,
} from './fleet/operation-view.ts';
export { FleetOperation } from './fleet/operator/operation.ts';
export type {
  DrainOptions,
  MoveOptions,
  RebalanceOptions,
  RecoverOptions,
  RunOptions,
} from './fleet/operator/operation-options.ts';
export type { MoveLimits, Permission } from './fleet/orders/order.ts';
export type { FleetOperator } from './fleet/orders/sign.ts';
export type {
  FleetPlan,
  HostObjection,
  PlacementStrategy,
  PlannedMove,
  PlannedPlacement,
  UnplacedWorkload,
} from './fleet/plan.ts';
export { formatPlan } from './fleet/planner/format-plan.ts';
export { formatRestartPlan } from './fleet/planner/format-restart-plan.ts';
export { planDrain } from './fleet/planner/plan-drain.ts';
export { planMove } from './fleet/planner/plan-move.ts';
export type {
  PlacementOptions,
  PlanDrainOptions,
  PlanMoveOptions,
  PlanRebalanceOptions,
  WorkloadDescription,
} from './fleet/planner/plan-options.ts';
export { planPlacement } from './fleet/planner/plan-placement.ts';
export { planRebalance } from './fleet/planner/plan-rebalance.ts';
export {
  type PlannedRestart,
  planRestart,
  type RestartPlan,
} from './fleet/planner/plan-restart.ts';
export type { FleetRedis } from './fleet/redis/connection.ts';
export type {
  FleetHost,
  FleetView,
  FleetWorkload,
  FleetWorkloadState,
  HostFacts,
  HostLimits,
  HostState,
  Labels,
  Placement,
  WorkloadCheckpoint,
  WorkloadKind,
} from './fleet/view.ts';
export type {
  CheckpointSchedule,
  ContainerWorkload,
  CopyWorkload,
  ProcessWorkload,
  ProgramWorkload,
  WorkloadSpec,
  WorkloadTraits,
} from './fleet/workload-spec.ts';
