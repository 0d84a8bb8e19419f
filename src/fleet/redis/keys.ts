/** The names of everything that a fleet has in Redis: all begin with `node-criu:FLEET`. */
export interface FleetKeys {
  /** The prefix of the queues. */
  readonly prefix: string;
  /** A hash: what each host has said of itself. */
  readonly hosts: string;
  /** A hash: the workloads of each host. */
  readonly workloads: string;
  /** A hash: which host has a workload of a name, while it is started. */
  readonly names: string;
  /** A hash: the hosts that are fenced, each with the signed order of the operator who has vouched for it. */
  readonly fenced: string;
  /** A hash: the newest checkpoints that each host holds. */
  readonly checkpoints: string;
  /** A hash: which host restarts a workload of a lost one, while it does. */
  readonly restarts: string;
  /** A hash: the signed order by which a workload was restarted after the loss of its host. */
  readonly restarted: string;
  /** A hash: the limits of the whole fleet. */
  readonly limits: string;
  /** The channel on which changes are announced. */
  readonly changes: string;
  /** The semaphore of all moves. redis-semaphore puts its own prefix before it. */
  readonly moves: string;
  /** The lease of the agent of a host. redis-semaphore puts its own prefix before it. */
  lease(host: string): string;
  /** The key that this lease is kept under. */
  leaseKey(host: string): string;
}

/** The keys of a fleet. */
export function keysOf(fleet: string): FleetKeys {
  const prefix = `node-criu:${fleet}`;
  return {
    prefix,
    hosts: `${prefix}:hosts`,
    workloads: `${prefix}:workloads`,
    names: `${prefix}:names`,
    fenced: `${prefix}:fenced`,
    checkpoints: `${prefix}:checkpoints`,
    restarts: `${prefix}:restarts`,
    restarted: `${prefix}:restarted`,
    limits: `${prefix}:limits`,
    changes: `${prefix}:changes`,
    moves: `${prefix}:moves`,
    lease: (host) => `${prefix}:agent:${host}`,
    leaseKey: (host) => `mutex:${prefix}:agent:${host}`,
  };
}

/** The queue of the operations, on which all agents work. */
export const OPERATIONS = 'operations';

/** The queue of the orders to a host that take a moment. */
export function ordersOf(host: string): string {
  return `orders-${host}`;
}

/** The queue of the moves from a host. */
export function movesOf(host: string): string {
  return `moves-${host}`;
}

/** The queue of the checkpoints that a host makes on schedule. */
export function checkpointsOf(host: string): string {
  return `checkpoints-${host}`;
}
