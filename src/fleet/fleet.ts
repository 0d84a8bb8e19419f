import type { Redis } from 'ioredis';
import { Criu } from '../index.ts';
import { check, checkOptions, checkValue, object, type Shape } from '../options/check.ts';
import { integer } from '../options/kinds.ts';
import { milliseconds } from '../options/operation-options.ts';
import { CriuBackend } from './agent/criu-backend.ts';
import { FleetMember } from './agent/fleet-member.ts';
import { checkJoinOptions, type JoinOptions } from './agent/member-options.ts';
import { MOVES } from './agent/move-slots.ts';
import { fleetFailure } from './failure.ts';
import { type CheckedFleetOptions, checkFleetOptions, type FleetOptions } from './fleet-options.ts';
import { name as nameCheck } from './names.ts';
import type { FleetOperationView } from './operation-view.ts';
import { Dispatcher } from './operator/dispatcher.ts';
import type { FleetOperation } from './operator/operation.ts';
import { checkSpec } from './operator/spec-check.ts';
import type { MoveLimits } from './orders/order.ts';
import type { FleetPlan, PlacementStrategy } from './plan.ts';
import { openRedis, redisFailure, requireRedis } from './redis/connection.ts';
import { type FleetKeys, keysOf } from './redis/keys.ts';
import { readView } from './redis/records.ts';
import type { FleetHost, FleetView, FleetWorkload } from './view.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/** Options of {@link Fleet.run}. */
export interface RunOptions {
  /** The host. Default: one that fits. */
  readonly on?: string;
  /** How the host is chosen. Default `spread`. */
  readonly strategy?: PlacementStrategy;
}

/** Options of {@link Fleet.move}. */
export interface MoveOptions {
  /** The host. Default: one that fits. */
  readonly to?: string;
  /** How the host is chosen. Default `spread`. */
  readonly strategy?: PlacementStrategy;
  /** How long the move may take. */
  readonly limits?: MoveLimits;
}

const strategyCheck = check(
  "'spread' or 'pack'",
  (value) => value === 'spread' || value === 'pack',
);
const limitsCheck = object<MoveLimits>({ perGiBMs: milliseconds, progressMs: milliseconds });
const runShape: Shape<RunOptions> = { on: nameCheck, strategy: strategyCheck };
const moveShape: Shape<MoveOptions> = {
  to: nameCheck,
  strategy: strategyCheck,
  limits: limitsCheck,
};

function memoryOf(spec: WorkloadSpec): number {
  return 'memoryBytes' in spec ? (spec.memoryBytes ?? 0) : 0;
}

/**
 * Hosts that run workloads and move them to each other, seen through a Redis.
 *
 * @example
 * ```ts
 * await using fleet = await Fleet.connect({
 *   redis: 'rediss://operator:secret@redis.example.org:6380',
 *   operator: { name: 'ada', privateKey: await readFile('ada.key', 'utf8') },
 * });
 * const { steps } = await (await fleet.drain('host-a')).ended();
 * ```
 */
export class Fleet implements AsyncDisposable {
  /** The name of the fleet. */
  readonly name: string;
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #dispatcher: Dispatcher;
  #closing: Promise<void> | undefined;

  /**
   * Connects to the Redis of a fleet.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_FLEET if Redis does not answer, is too old, or removes keys
   * when it is full
   */
  static async connect(given: FleetOptions): Promise<Fleet> {
    const options = checkFleetOptions(given);
    const redis = openRedis(options.redis, () => {});
    await requireRedis('Fleet.connect', redis);
    return new Fleet(options, redis);
  }

  private constructor({ name, operator }: CheckedFleetOptions, redis: Redis) {
    this.name = name;
    this.#redis = redis;
    this.#keys = keysOf(name);
    this.#dispatcher = new Dispatcher({ fleet: name, redis, keys: this.#keys, operator });
  }

  /**
   * Makes this host one of the fleet: it takes workloads and orders until the member is closed.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_FLEET if another agent has the name or the directory
   */
  async join(given: JoinOptions): Promise<FleetMember> {
    const options = checkJoinOptions(given);
    const { listen, tls, insecure, directory, allowAddresses, limits, restore } = options;
    const backend = new CriuBackend(options.criu ?? new Criu(), {
      ...{ listen, directory, bandwidth: limits.bandwidth, restore },
      ...(tls && { tls }),
      ...(insecure && { insecure }),
      ...(allowAddresses && { allowAddresses }),
    });
    const context = { fleet: this.name, redis: this.#redis, keys: this.#keys, backend };
    return await FleetMember.join(options, context);
  }

  /** What is known of the hosts and workloads. @throws CriuError ERR_CRIU_FLEET */
  async view(): Promise<FleetView> {
    return await this.#ask('view', () => readView(this.#redis, this.#keys));
  }

  /** The hosts, sorted by name. @throws CriuError ERR_CRIU_FLEET */
  async hosts(): Promise<readonly FleetHost[]> {
    return (await this.view()).hosts;
  }

  /** The workloads, sorted by name. @throws CriuError ERR_CRIU_FLEET */
  async workloads(): Promise<readonly FleetWorkload[]> {
    return (await this.view()).workloads;
  }

  /** The operations that are under way and the last that have ended, the newest first. @throws CriuError ERR_CRIU_FLEET */
  async operations(): Promise<readonly FleetOperationView[]> {
    return await this.#ask('operations', () => this.#dispatcher.operations());
  }

  /** Finds an operation by its id. @throws CriuError ERR_CRIU_FLEET if there is none */
  async operation(id: string): Promise<FleetOperation> {
    return await this.#ask('operation', () => this.#dispatcher.operation(id));
  }

  /**
   * Starts a workload on a host that fits, or on a given one.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_FLEET; ERR_CRIU_FLEET_NO_HOST
   */
  async run(spec: WorkloadSpec, given: RunOptions = {}): Promise<FleetOperation> {
    const checked = checkSpec('run', spec);
    const { on, strategy } = checkOptions('run', given, runShape);
    const view = await this.view();
    const { name } = checked;
    if (view.workloads.some((one) => one.name === name)) {
      throw fleetFailure('run', `the fleet has a workload ${name}`);
    }
    const to = on ?? 'TODO';
    void strategy;
    const shown = { workload: name, from: undefined, to, memoryBytes: memoryOf(checked) };
    const step = { host: to, action: { kind: 'run', workload: checked } as const, shown };
    return await this.#dispatcher.order({ kind: 'run', target: name, steps: [step], unplaced: [] });
  }

  /**
   * Moves a workload, to a given host or to one that fits.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_FLEET; ERR_CRIU_FLEET_NO_HOST
   */
  async move(workload: string, given: MoveOptions = {}): Promise<FleetOperation> {
    const { limits, ...options } = checkOptions('move', given, moveShape);
    const { host, memoryBytes } = await this.#requireWorkload('move', workload);
    const why = { objections: [] } as never;
    const moves = [{ workload, from: host, to: options.to as string, memoryBytes, why }];
    return await this.#orderMoves('move', workload, { moves, unplaced: [] }, limits);
  }

  async #orderMoves(
    kind: 'move' | 'drain' | 'rebalance',
    target: string,
    { moves, unplaced }: FleetPlan,
    limits: MoveLimits | undefined,
  ): Promise<FleetOperation> {
    const steps = moves.map(({ workload, from, to, memoryBytes }) => ({
      host: from,
      action: { kind: 'move', workload, to, ...(limits && { limits }) } as const,
      shown: { workload, from, to, memoryBytes },
    }));
    return await this.#dispatcher.order({
      ...{ kind, target, steps },
      unplaced: unplaced.map(({ workload }) => workload),
    });
  }

  /**
   * Keeps new workloads away from a host; those that it has stay.
   * @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED
   */
  async cordon(host: string): Promise<void> {
    await this.#dispatcher.command(await this.#requireHost('cordon', host), { kind: 'cordon' });
  }

  /** Lets new workloads come to a host again. @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED */
  async uncordon(host: string): Promise<void> {
    await this.#dispatcher.command(await this.#requireHost('uncordon', host), { kind: 'uncordon' });
  }

  /**
   * Ends a drain: the moves from the host that have not switched over are cancelled, and it takes workloads again.
   * @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED
   */
  async undrain(host: string): Promise<void> {
    await this.#dispatcher.command(await this.#requireHost('undrain', host), { kind: 'undrain' });
  }

  /** Removes a workload that has ended from the fleet. @throws CriuError ERR_CRIU_FLEET if it runs */
  async forget(workload: string): Promise<void> {
    const { host } = await this.#requireWorkload('forget', workload);
    await this.#dispatcher.command(host, { kind: 'forget', workload });
  }

  /**
   * Sets how many moves of the whole fleet may be under way at once; undefined for no limit, which is the default.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_FLEET
   */
  async limitMoves(moves: number | undefined): Promise<void> {
    if (moves !== undefined) checkValue('limitMoves', 'moves', integer(1, 1_000_000), moves);
    await this.#ask('limitMoves', async () => {
      if (moves === undefined) await this.#redis.hdel(this.#keys.limits, MOVES);
      else await this.#redis.hset(this.#keys.limits, MOVES, moves);
    });
  }

  async #requireHost(operation: string, host: string): Promise<string> {
    checkValue(operation, 'host', nameCheck, host);
    const { hosts } = await this.view();
    if (hosts.some(({ name }) => name === host)) return host;
    const known = hosts.map(({ name }) => name).join(', ') || 'none';
    throw fleetFailure(operation, `there is no host ${host}; the hosts are ${known}`);
  }

  async #requireWorkload(operation: string, workload: string): Promise<FleetWorkload> {
    checkValue(operation, 'workload', nameCheck, workload);
    const found = (await this.workloads()).find(({ name }) => name === workload);
    if (found) return found;
    throw fleetFailure(operation, `there is no workload ${workload}`);
  }

  /** Closes the connections. Operations go on. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#dispatcher[Symbol.asyncDispose]();
    this.#redis.disconnect();
  }

  /** The same as {@link Fleet.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask<T>(operation: string, asking: () => Promise<T>): Promise<T> {
    try {
      return await asking();
    } catch (error) {
      throw redisFailure(operation, error as Error, this.#redis);
    }
  }
}
