import type { MigrationEvent, MigrationPhase, MigrationResult, Owner } from '../../index.ts';
import type { HostFacts, WorkloadKind } from '../view.ts';
import type { WorkloadSpec } from '../workload-spec.ts';

/** The root process of a workload. Pid and start time together name it for good. */
export interface WorkloadRoot {
  readonly pid: number;
  /** When and in which boot it was started. */
  readonly startTime: string;
}

/** A workload that a host has started or found. */
export interface StartedWorkload extends WorkloadRoot {
  readonly kind: WorkloadKind;
  /** What it is, as this host knows it: a container by its whole id. */
  readonly spec: WorkloadSpec;
}

/** How a workload is to be moved. */
export interface MoveRequest {
  readonly root: WorkloadRoot;
  readonly spec: WorkloadSpec;
  /** The destination: its name is also that in its certificate. */
  readonly to: { readonly name: string; readonly host: string; readonly port: number };
  /** What the destination is told of it. */
  readonly metadata: unknown;
  /** All memory at once after the copy runs, because pre-copy did not converge. */
  readonly postCopy: boolean;
  /** Called when pre-copy does not converge and the workload may be moved by post-copy: the caller cancels then. */
  readonly notConverging: (() => void) | undefined;
  /** How long the move may take, in milliseconds. */
  readonly deadlineMs: number;
  /** Called and awaited before each phase. */
  phase(phase: MigrationPhase): Promise<void>;
}

/** A move that is under way. */
export interface OutgoingMove extends AsyncIterable<MigrationEvent> {
  readonly id: string;
  readonly result: Promise<
    Pick<MigrationResult, 'pid' | 'bytes' | 'downtimeMs' | 'totalMs' | 'mode'>
  >;
  cancel(): Promise<void>;
}

/** What a host says to the workloads that come to it. */
export interface Arrivals {
  /** Throws if the workload may not come. */
  authorize(id: string, metadata: unknown, peer: string | undefined): Promise<void>;
  /** The copy is restored, and does not run yet. If it throws, the move fails. */
  restored(id: string, metadata: unknown, pid: number): Promise<void>;
  /** The move has ended, with the copy or without it. */
  ended(id: string, hasCopy: boolean): Promise<void>;
}

/** What listens for workloads. */
export interface ArrivalServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** What an agent does with the processes of its host. The simulation of a fleet has another one. */
export interface HostBackend {
  facts(): Promise<HostFacts>;
  serve(arrivals: Arrivals, maxMigrations: number): Promise<ArrivalServer>;
  start(spec: WorkloadSpec): Promise<StartedWorkload>;
  /** Gives up what is left of a workload that has ended: its addresses. */
  end(spec: WorkloadSpec): Promise<void>;
  /** The specification of a workload that comes from another host. */
  specHere(spec: WorkloadSpec): WorkloadSpec;
  /** Names a process that has been restored. */
  rootOf(pid: number): WorkloadRoot | undefined;
  isRunning(root: WorkloadRoot): boolean;
  memoryBytes(root: WorkloadRoot): Promise<number>;
  migrate(request: MoveRequest): Promise<OutgoingMove>;
  /** Finishes a migration that an earlier agent, or a silent destination, has left, and says who has the workload. */
  resolve(
    id: string,
    spec: WorkloadSpec,
  ): Promise<{ readonly owner: Owner; readonly copy: number | undefined }>;
  /** The migrations from this host that have to be resolved, with the roots of their originals. */
  unresolved(): Promise<readonly { readonly id: string; readonly pid: number | undefined }[]>;
}
