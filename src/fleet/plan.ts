/**
 * How workloads are distributed.
 * - `spread`: each goes to the host that has the greatest part of its memory free afterwards. That is also what a
 *   rebalance evens out.
 * - `pack`: each goes to the host with the least free memory that fits, so that others stay empty.
 */
export type PlacementStrategy = 'spread' | 'pack';

/**
 * Why some hosts are not possible for a workload. A plan has one for each reason, not for each host, because there
 * may be a thousand hosts for each of a thousand moves. `planMove(view, name, { to })` has the reason of one host.
 */
export interface HostObjection {
  /**
   * The first reason, in words whose subject is one of the hosts: `its CRIU 4.1 is older than 4.2.1, which host-a has`, or
   * `has 1.2 GiB free of the 2.0 GiB needed`; for several hosts `has at most 1.2 GiB free of the 2.0 GiB needed`.
   */
  readonly objection: string;
  /** How many hosts there are that it holds for. */
  readonly count: number;
  /** The names of the first ten of them, sorted. */
  readonly hosts: readonly string[];
}

/** The host for a workload, and why. */
export interface PlannedPlacement {
  /** The name of the host; undefined if none is possible. */
  readonly host: string | undefined;
  /** Why that host, or why none, in one line. */
  readonly reason: string;
  /** Why other hosts are not possible: the reason that holds for most of them first. */
  readonly objections: readonly HostObjection[];
}

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
  /** Why that host, in one line: `keeps 71 % of its memory free, the most of 12 possible hosts`. */
  readonly reason: string;
  /** Why other hosts are not possible: the reason that holds for most of them first. */
  readonly objections: readonly HostObjection[];
}

/** A workload that a plan leaves where it is. */
export interface UnplacedWorkload {
  /** The name of the workload. */
  readonly workload: string;
  /** The host that it is on. */
  readonly from: string;
  /** Why it stays, in one line: what is in its own way, such as `it has ended`, or that no host is possible and why. */
  readonly reason: string;
  /** Why no host is possible; empty if the workload itself cannot be moved. */
  readonly objections: readonly HostObjection[];
}

/** What is to be done, and why. Nothing is done by making a plan. */
export interface FleetPlan {
  /** The moves, in the order in which they are to begin. */
  readonly moves: readonly PlannedMove[];
  /** The workloads that stay although they were to be moved, sorted by name. */
  readonly unplaced: readonly UnplacedWorkload[];
  /** What else there is to know, one line each: `stops at 20 moves; 3 hosts are still above 72 %`. */
  readonly notes: readonly string[];
}
