import type { DumpOptions, MigrationAddress } from '../index.ts';
import type { Labels, Placement } from './view.ts';

/** How checkpoints of a workload are made on schedule. */
export interface CheckpointSchedule {
  /** The time between two checkpoints, in milliseconds: at least 1000. */
  readonly every: number;
  /** How many checkpoints each store keeps. Default 3. */
  readonly keep?: number | undefined;
}

/** What all workloads have. */
export interface WorkloadTraits {
  /** Its name, which no other workload of the fleet may have. */
  readonly name: string;
  /** Its labels. */
  readonly labels?: Labels | undefined;
  /** Conditions for its host. */
  readonly placement?: Placement | undefined;
  /** The addresses that a host gets with it, also when it starts there: see `addresses` of `criu.migrate()`. */
  readonly addresses?: readonly MigrationAddress[] | undefined;
  /** It may be moved by post-copy when pre-copy does not converge. Default false. */
  readonly allowPostCopy?: boolean | undefined;
  /** Options of its dumps, besides `tcpEstablished`, which is set. */
  readonly dump?: Partial<DumpOptions> | undefined;
  /** Checkpoints on schedule; none by default. */
  readonly checkpoint?: CheckpointSchedule | undefined;
}

/** A program that an agent starts. */
export interface ProgramWorkload extends WorkloadTraits {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Its working directory. Default `/`. */
  readonly cwd?: string | undefined;
  /** Its environment. Default: that of the agent. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** A file to which it appends its output and errors; it needs to exist at each host. Default: none. */
  readonly output?: string | undefined;
  /** Its user id, with `gid`. Default: that of the agent. */
  readonly uid?: number | undefined;
  /** Its group id. */
  readonly gid?: number | undefined;
  /**
   * It gets a pid namespace of its own, so that its pids are free at every host. Default true for a program of root; CRIU
   * cannot dump others there.
   */
  readonly pidNamespace?: boolean | undefined;
  /** The memory that it will need, in bytes, by which its host is chosen. Default 0. */
  readonly memoryBytes?: number | undefined;
}

/** A process that runs on a host already. */
export interface ProcessWorkload extends WorkloadTraits {
  /** The pid of its root process. */
  readonly pid: number;
}

/** A container that runs on a host already. */
export interface ContainerWorkload extends WorkloadTraits {
  /** The id of the container. The hosts that it comes to have its bundle, as their `containers` say. */
  readonly container: string;
  /** The state directory of its runtime: runc's `--root`. Default: the first known one that has it. */
  readonly root?: string | undefined;
}

/** A copy of a template, which hosts move that have the same file systems. */
export interface CopyWorkload extends WorkloadTraits {
  /** The images directory of the template, on a host that has it. */
  readonly template: string;
  /** The memory that it will need, in bytes, by which its host is chosen. Default 0. */
  readonly memoryBytes?: number | undefined;
}

/** What an agent is told of a workload. */
export type WorkloadSpec = ProgramWorkload | ProcessWorkload | ContainerWorkload | CopyWorkload;
