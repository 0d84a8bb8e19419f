/** Names of labels and their values, such as `{ zone: 'a' }`. */
export type Labels = Readonly<Record<string, string>>;

/**
 * What a host takes.
 * - `ready`: workloads may be placed on it.
 * - `cordoned`: nothing new is placed on it; what runs there stays.
 * - `draining`: its workloads are being moved away, and nothing new is placed on it.
 * - `drained`: a drain has ended; nothing new is placed on it.
 */
export type HostState = 'ready' | 'cordoned' | 'draining' | 'drained';

/** How many migrations a host takes part in at once, and how much it sends and receives. */
export interface HostLimits {
  /** Migrations to the host at once. Further ones are tried again later. Default 2. */
  readonly incoming: number;
  /** Migrations from the host at once. Further ones wait in its queue. Default 2. */
  readonly outgoing: number;
  /**
   * Bytes per second that all migrations to the host share, and that all migrations from it share; undefined for no
   * limit.
   */
  readonly bandwidth: number | undefined;
}

/** What a host is, and what it has left. */
export interface HostFacts {
  /** CRIU's version as a number: 40201 for 4.2.1. */
  readonly criu: number;
  /** The release of the kernel, as `uname -r` prints it. */
  readonly kernel: string;
  /** The architecture, as `process.arch` has it. */
  readonly architecture: string;
  /** The features of its processors: the sorted flags of /proc/cpuinfo, separated by spaces. */
  readonly cpu: string;
  /** True if its kernel tracks changed memory. */
  readonly memTrack: boolean;
  /** True if its kernel has the userfaultfd that post-copy needs. */
  readonly lazyPages: boolean;
  /** All memory, in bytes. */
  readonly memoryBytes: number;
  /** Memory that can be used without swapping, in bytes. */
  readonly freeMemoryBytes: number;
  /** Free space in the directory of the agent, in bytes. */
  readonly freeDiskBytes: number;
  /** The load average of the last minute. */
  readonly load: number;
  /** The number of processors. */
  readonly processors: number;
}

/** A host of a fleet. */
export interface FleetHost {
  /** Its name, which is also that in its certificate. */
  readonly name: string;
  /** What it takes. */
  readonly state: HostState;
  /** False if its agent has not been heard of for three heartbeats. That does not mean that its workloads have ended. */
  readonly isAlive: boolean;
  /** True once an operator, or the fencing hook, has vouched that nothing runs there any more. */
  readonly isFenced: boolean;
  /** Where its agent takes migrations. */
  readonly endpoint: { readonly host: string; readonly port: number };
  /** The port of that address on which it takes checkpoints of other hosts; undefined if it takes none. */
  readonly checkpointPort?: number | undefined;
  /** True if it takes containers as well. Default false. */
  readonly takesContainers?: boolean | undefined;
  /** Its labels. */
  readonly labels: Labels;
  /** Its limits. */
  readonly limits: HostLimits;
  /** Ranges of addresses that migrations may bring to it, as `ADDRESS/PREFIX`. */
  readonly allowAddresses: readonly string[];
  /** What it is and has left. */
  readonly facts: HostFacts;
  /** When its agent was last heard of, in milliseconds since 1970. */
  readonly seenAt: number;
}

/** Conditions for the host of a workload. No labels (`{}`) are no condition. */
export interface Placement {
  /** Labels that the host must have. */
  readonly hostLabels?: Labels | undefined;
  /**
   * Only hosts on which another workload with all of these labels runs. If the workload has them itself, the first of
   * them may run anywhere.
   */
  readonly affinity?: Labels | undefined;
  /**
   * Only hosts on which no other workload with all of these labels runs. It holds in both directions: none with these
   * labels comes to the host of the workload either.
   */
  readonly antiAffinity?: Labels | undefined;
}

/** What a workload is: a program, a container of runc, or a copy of a template. */
export type WorkloadKind = 'process' | 'container' | 'copy';

/**
 * What a workload does.
 * - `running`: it runs.
 * - `moving`: it is being moved to another host; it runs on exactly one of them.
 * - `unresolved`: a migration has to be resolved before it is known on which host it runs.
 * - `ended`: its root process has ended.
 */
export type FleetWorkloadState = 'running' | 'moving' | 'unresolved' | 'ended';

/** A workload of a fleet. */
export interface FleetWorkload {
  /** Its name, which no other workload of the fleet has. */
  readonly name: string;
  /** The name of its host. */
  readonly host: string;
  /** What it is. */
  readonly kind: WorkloadKind;
  /** What it does. */
  readonly state: FleetWorkloadState;
  /** The name of the host that it is being moved to, if it is: its memory there is taken already. */
  readonly movingTo?: string | undefined;
  /** The pid of its root process on its host. */
  readonly pid: number;
  /** Its labels. */
  readonly labels: Labels;
  /** Conditions for its host. */
  readonly placement: Placement;
  /** The memory of its processes when its host last looked, in bytes. */
  readonly memoryBytes: number;
  /** The addresses that go with it, as `ADDRESS/PREFIX`. */
  readonly addresses: readonly string[];
  /** True if it may be moved by post-copy when pre-copy does not converge. */
  readonly allowPostCopy: boolean;
  /** How often it was started from a checkpoint after the loss of its host. Only the highest generation may run. */
  readonly generation: number;
  /** When it came to its host, in milliseconds since 1970. */
  readonly since: number;
  /**
   * Its last checkpoint on schedule, of those that a live host holds if there are any; undefined if it has none.
   */
  readonly checkpoint: WorkloadCheckpoint | undefined;
}

/** A checkpoint of a workload. */
export interface WorkloadCheckpoint {
  /** Its id in the stores. */
  readonly id: string;
  /** When it was begun, in milliseconds since 1970. */
  readonly at: number;
  /** The hosts whose stores have it. */
  readonly hosts: readonly string[];
}

/** What is known of a fleet at one moment. */
export interface FleetView {
  /** The hosts, sorted by name. */
  readonly hosts: readonly FleetHost[];
  /** The workloads, sorted by name. */
  readonly workloads: readonly FleetWorkload[];
}
