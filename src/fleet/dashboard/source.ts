import type { FleetOperationView } from '../operation-view.ts';
import type { FleetPlan } from '../plan.ts';
import type { FleetView } from '../view.ts';

/** A queue of BullMQ: an instance of its class `Queue`. */
export interface DashboardQueue {
  /** The name of the queue. */
  readonly name: string;
}

/** What a dashboard shows: a fleet, which is a `Fleet` or what has the same methods. */
export interface DashboardSource {
  /** The name of the fleet. */
  readonly name: string;
  /** Returns what is known of hosts and workloads. */
  view(): Promise<FleetView>;
  /** Returns the operations that are under way, and those that have ended and are still known. */
  operations(): Promise<readonly FleetOperationView[]>;
  /** Plans to drain a host, without doing it. The page offers it. */
  planDrain?(host: string): Promise<FleetPlan>;
  /** Plans to move a workload to any host, without doing it. The page offers it. */
  planMove?(workload: string): Promise<FleetPlan>;
  /** Plans to rebalance the hosts, without doing it. The page offers it. */
  planRebalance?(): Promise<FleetPlan>;
  /** Returns the plan of the operation with this id; undefined if it is not known. */
  plan?(operation: string): Promise<FleetPlan | undefined>;
  /** Yields when something may have changed, until the signal is aborted. Without it, the fleet is asked at intervals. */
  changes?(signal: AbortSignal): AsyncIterable<unknown>;
  /** Returns the queues that bull-board shows at `/queues`. */
  queues?(): readonly DashboardQueue[];
}
