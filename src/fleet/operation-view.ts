import type { MigrationPhase } from '../index.ts';

/** What an operation does. */
export type FleetOperationKind = 'move' | 'drain' | 'rebalance' | 'run' | 'restart';

/**
 * How far an operation, or a step of one, is.
 * - `waiting`: it waits for its turn.
 * - `active`: it is being done.
 * - `delayed`: a host was busy, or did not answer; it is tried again.
 * - `done`, `failed`, `cancelled`: it has ended.
 */
export type FleetOperationState =
  | 'waiting'
  | 'active'
  | 'delayed'
  | 'done'
  | 'failed'
  | 'cancelled';

/** One step of an operation: a workload is moved to a host, or started on it. */
export interface FleetStep {
  /** Its id, which is also that of its order and of its job. */
  readonly id: string;
  /** The name of the workload. */
  readonly workload: string;
  /** The host that it is moved from; undefined if it is started. */
  readonly from: string | undefined;
  /** The host that it is moved to or started on. */
  readonly to: string;
  /** How far it is. */
  readonly state: FleetOperationState;
  /** The phase of its migration; undefined before it has begun. */
  readonly phase: MigrationPhase | undefined;
  /** Bytes sent so far. */
  readonly bytes: number;
  /** Its memory when it was planned, in bytes. */
  readonly memoryBytes: number;
  /** How often it was begun. */
  readonly attempts: number;
  /** When it was begun, in milliseconds since 1970; undefined before. */
  readonly startedAt: number | undefined;
  /** When it ended, in milliseconds since 1970; undefined before. */
  readonly endedAt: number | undefined;
  /** How long no copy ran, in milliseconds; undefined before it is done. */
  readonly downtimeMs: number | undefined;
  /** Why it has failed, or is tried again; undefined otherwise. */
  readonly message: string | undefined;
}

/** An operation of a fleet, as everybody sees it. */
export interface FleetOperationView {
  /** Its id. */
  readonly id: string;
  /** What it does. */
  readonly kind: FleetOperationKind;
  /** The host or the workload that it is about; the name of the fleet for `rebalance`. */
  readonly target: string;
  /** The name of the operator who ordered it. */
  readonly operator: string;
  /** How far it is: `done` once each step has ended, `failed` if one has failed. */
  readonly state: FleetOperationState;
  /** When it was ordered, in milliseconds since 1970. */
  readonly orderedAt: number;
  /** When it ended, in milliseconds since 1970; undefined before. */
  readonly endedAt: number | undefined;
  /** Its steps, in the order in which they were planned. */
  readonly steps: readonly FleetStep[];
  /** The workloads that the plan left where they are. */
  readonly unplaced: readonly string[];
}
