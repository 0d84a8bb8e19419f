import { check, checkOptions, type Shape } from '../../options/check.ts';
import { integer, isText } from '../../options/kinds.ts';
import type { PlacementStrategy } from '../plan.ts';
import type { HostFacts, Labels, Placement, WorkloadKind } from '../view.ts';

/** What a plan needs to know of a workload that it places. A `FleetWorkload` is one. */
export interface WorkloadDescription {
  /** Its name: a workload of the view with this name is the same one, and never in its way. Default: a new workload. */
  readonly name?: string | undefined;
  /** What it is. Default `process`. */
  readonly kind?: WorkloadKind | undefined;
  /** Its labels. Default: none. */
  readonly labels?: Labels | undefined;
  /** Conditions for its host. Default: none. */
  readonly placement?: Placement | undefined;
  /** The memory that it needs, in bytes. */
  readonly memoryBytes: number;
  /** The addresses that come with it, as `ADDRESS/PREFIX`. Default: none. */
  readonly addresses?: readonly string[] | undefined;
  /** True if it may be moved by post-copy, which needs userfaultfd on both hosts. Default false. */
  readonly allowPostCopy?: boolean | undefined;
  /**
   * What the host is whose processes, or whose checkpoint, it continues: the new one needs the same architecture, a CRIU
   * that is not older, and each feature of the processor. Default: it starts anew, on any host.
   */
  readonly facts?: Pick<HostFacts, 'criu' | 'architecture' | 'cpu'> | undefined;
}

/** Options of {@link planPlacement}, and those that all plans have. */
export interface PlacementOptions {
  /** How workloads are distributed. Default `spread`. */
  readonly strategy?: PlacementStrategy | undefined;
  /** The part of the memory of each host that is not filled, from 0 to 0.9. Default 0.05. */
  readonly headroom?: number | undefined;
  /** Names of hosts that are not to be used, such as those that have just refused the workload. Default: none. */
  readonly exclude?: readonly string[] | undefined;
}

/** Options of {@link planMove}. */
export interface PlanMoveOptions extends PlacementOptions {
  /** The name of the host that it must go to. Default: the best one that is possible. */
  readonly to?: string | undefined;
}

/** Options of {@link planDrain}. */
export type PlanDrainOptions = PlacementOptions;

/** Options of {@link planRebalance}. */
export interface PlanRebalanceOptions extends PlacementOptions {
  /**
   * How far above the mean of all hosts the used part of a host's memory may be before workloads are moved from it, from 0
   * to 1. Default 0.1.
   */
  readonly threshold?: number | undefined;
  /**
   * By how much each move must at least reduce the difference between the used parts of its two hosts, from 0 to 1: less
   * is not worth a move. Default 0.02.
   */
  readonly hysteresis?: number | undefined;
  /** How many moves the plan has at most. Default: no limit. */
  readonly maxMoves?: number | undefined;
}

/** The values of options that were left out. */
export const DEFAULT_STRATEGY: PlacementStrategy = 'spread';
export const DEFAULT_HEADROOM = 0.05;
export const DEFAULT_THRESHOLD = 0.1;
export const DEFAULT_HYSTERESIS = 0.02;

const part = (most: number) =>
  check(
    `a number from 0 to ${most}`,
    (value) => typeof value === 'number' && value >= 0 && value <= most,
  );
const names = check(
  'an array of names of hosts',
  (value) => Array.isArray(value) && value.every(isText),
);
const strategy = check("'spread' or 'pack'", (value) => value === 'spread' || value === 'pack');

const placementShape: Shape<PlacementOptions> = { strategy, headroom: part(0.9), exclude: names };
const moveShape: Shape<PlanMoveOptions> = {
  ...placementShape,
  to: check('the name of a host', isText),
};
const rebalanceShape: Shape<PlanRebalanceOptions> = {
  ...{ ...placementShape, threshold: part(1), hysteresis: part(1) },
  maxMoves: integer(0, Number.MAX_SAFE_INTEGER),
};

export function placementOptions<T extends PlacementOptions>(operation: string, given: T): T {
  return checkOptions<PlacementOptions>(operation, given, placementShape) as T;
}

export function moveOptions(given: PlanMoveOptions): PlanMoveOptions {
  return checkOptions('planMove', given, moveShape);
}

export function rebalanceOptions(given: PlanRebalanceOptions): PlanRebalanceOptions {
  return checkOptions('planRebalance', given, rebalanceShape);
}
