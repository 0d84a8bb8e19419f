export { fleetMetrics } from './fleet/metrics/fleet-metrics.ts';
export { MoveTotals } from './fleet/metrics/move-totals.ts';
export type {
  FleetOperationKind,
  FleetOperationState,
  FleetOperationView,
  FleetStep,
} from './fleet/operation-view.ts';
export type {
  FleetPlan,
  HostVerdict,
  PlacementStrategy,
  PlannedMove,
  UnplacedWorkload,
} from './fleet/plan.ts';
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
