/** How workloads are distributed: `spread` prefers the host with the most free memory, `pack` the one with the least that fits. */
export type PlacementStrategy = 'spread' | 'pack';

/** A move that a plan proposes. */
export interface PlannedMove {
  /** The name of the workload. */
  readonly workload: string;
  /** The host that it is on. */
  readonly from: string;
  /** The host that it goes to. */
  readonly to: string;
  /** Its memory, in bytes. */
  readonly memoryBytes: number;
  /** Why that host, and why not the others, in words: one entry for each host that was looked at. */
  readonly why: readonly HostVerdict[];
}

/** What a plan thinks of one host. */
export interface HostVerdict {
  /** The name of the host. */
  readonly host: string;
  /** Why it is not possible, such as `its CRIU 4.1 is older than 4.2.1`; undefined if it is. */
  readonly objection: string | undefined;
}

/** A workload for which a plan has no host. */
export interface UnplacedWorkload {
  /** The name of the workload. */
  readonly workload: string;
  /** The host that it is on; undefined if it is yet to be started. */
  readonly from: string | undefined;
  /** Why no host is possible: one entry for each. */
  readonly why: readonly HostVerdict[];
}

/** What is to be done, and why. Nothing is done by making a plan. */
export interface FleetPlan {
  /** The moves, in the order in which they are to begin. */
  readonly moves: readonly PlannedMove[];
  /** The workloads that stay, because no host is possible. */
  readonly unplaced: readonly UnplacedWorkload[];
}
