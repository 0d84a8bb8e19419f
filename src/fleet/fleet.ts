import { on } from 'node:events';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { invalid } from '../errors.ts';
import { Criu } from '../index.ts';
import { formatMigrationAddress } from '../migration/protocol/address-options.ts';
import { checkValue } from '../options/check.ts';
import { integer } from '../options/kinds.ts';
import { CriuBackend } from './agent/criu-backend.ts';
import { FleetMember } from './agent/fleet-member.ts';
import { HostContainers } from './agent/host-containers.ts';
import { checkJoinOptions, type JoinOptions } from './agent/member-options.ts';
import { MOVES } from './agent/move-slots.ts';
import { fleetFailure } from './failure.ts';
import { type CheckedFleetOptions, checkFleetOptions, type FleetOptions } from './fleet-options.ts';
import { name as nameCheck } from './names.ts';
import type { FleetOperationView } from './operation-view.ts';
import { Dispatcher } from './operator/dispatcher.ts';
import type { FleetOperation } from './operator/operation.ts';
import {
  type DrainOptions,
  type MoveOptions,
  type RebalanceOptions,
  type RecoverOptions,
  type RunOptions,
  splitFencing,
  splitHost,
  splitLimits,
} from './operator/operation-options.ts';
import { noHost, requireFreeAddresses, requireHost, requireLost } from './operator/refusals.ts';
import { checkSpec } from './operator/spec-check.ts';
import type { MoveLimits } from './orders/order.ts';
import type { FleetPlan } from './plan.ts';
import { planDrain } from './planner/plan-drain.ts';
import { planMove } from './planner/plan-move.ts';
import type {
  PlacementOptions,
  PlanDrainOptions,
  PlanMoveOptions,
  PlanRebalanceOptions,
} from './planner/plan-options.ts';
import { planPlacement } from './planner/plan-placement.ts';
import { planRebalance } from './planner/plan-rebalance.ts';
import { planRestart, type RestartPlan } from './planner/plan-restart.ts';
import { openRedis, redisFailure, requireRedis } from './redis/connection.ts';
import { type FleetKeys, keysOf } from './redis/keys.ts';
import { readView } from './redis/records.ts';
import type { FleetHost, FleetView, FleetWorkload } from './view.ts';
import type { WorkloadSpec } from './workload-spec.ts';

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
  #hostNames: readonly string[] = [];
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
    const { tls, insecure, directory, allowAddresses, limits } = options;
    const { restore } = options;
    const { checkpointPort = 0, ...listen } = options.listen;
    const criu = options.criu ?? new Criu();
    const containers = new HostContainers(criu, options.containers);
    const serve = {
      ...{ listen, directory, bandwidth: limits.bandwidth, restore },
      ...(tls && { tls }),
      ...(insecure && { insecure }),
      ...(allowAddresses && { allowAddresses }),
    };
    const backend = new CriuBackend(criu, serve, containers);
    const context = {
      ...{ fleet: this.name, redis: this.#redis, keys: this.#keys, backend },
      checkpoints: {
        ...{ criu, restore, allowAddresses, containers },
        server: { listen: { host: listen.host, port: checkpointPort }, tls, insecure },
      },
    };
    return await FleetMember.join(options, context);
  }

  /** What is known of the hosts and workloads. @throws CriuError ERR_CRIU_FLEET */
  async view(): Promise<FleetView> {
    const view = await this.#ask('view', () => readView(this.#redis, this.#keys));
    this.#hostNames = view.hosts.map(({ name }) => name);
    return view;
  }

  /** Yields the name of a host when something about it or its workloads has changed, until the signal is aborted. */
  async *changes(signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const subscriber = this.#redis.duplicate();
    // The connection comes back by itself.
    subscriber.on('error', () => {});
    try {
      await this.#ask('changes', () => subscriber.subscribe(this.#keys.changes));
      for await (const [, host] of on(subscriber, 'message', { ...(signal && { signal }) })) {
        yield String(host);
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      subscriber.disconnect();
    }
  }

  /** The queues of BullMQ that the fleet uses: that of the operations, and those of the hosts that were seen last. */
  queues(): readonly Queue[] {
    return this.#dispatcher.queuesOf(this.#hostNames);
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
    const { on, ...options } = splitHost(given);
    const view = await this.view();
    const { name } = checked;
    const known = view.workloads.find((one) => one.name === name);
    if (known) throw fleetFailure('run', `${known.host} has a workload ${name}`);
    requireFreeAddresses(checked, view);
    const memoryBytes = memoryOf(checked);
    const to = this.#placeNew(view, checked, memoryBytes, { on, ...options });
    const shown = { workload: name, from: undefined, to, memoryBytes };
    const step = { host: to, action: { kind: 'run', workload: checked } as const, shown };
    return await this.#dispatcher.order({ kind: 'run', target: name, steps: [step], unplaced: [] });
  }

  #placeNew(
    view: FleetView,
    spec: WorkloadSpec,
    memoryBytes: number,
    { on, ...options }: RunOptions,
  ): string {
    if (on !== undefined) requireHost('run', on, view);
    else if (!('command' in spec || 'template' in spec)) {
      throw invalid('run', 'on', 'the name of the host on which it runs', on);
    }
    const hosts = on === undefined ? view.hosts : view.hosts.filter(({ name }) => name === on);
    const { name, labels, placement } = spec;
    const addresses = (spec.addresses ?? []).map(formatMigrationAddress);
    const demand = { name, labels, placement, addresses, memoryBytes };
    const { host, reason } = planPlacement({ ...view, hosts }, demand, options);
    if (host !== undefined) return host;
    throw noHost('run', `${name}: ${reason}`);
  }

  /**
   * Moves a workload, to a given host or to one that fits.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_FLEET; ERR_CRIU_FLEET_NO_HOST
   */
  async move(workload: string, given: MoveOptions = {}): Promise<FleetOperation> {
    const { limits, ...options } = splitLimits('move', given);
    const plan = await this.planMove(workload, options);
    const [stays] = plan.unplaced;
    if (stays) throw noHost('move', `${workload}: ${stays.reason}`);
    return await this.#orderMoves('move', workload, plan, limits);
  }

  /** Plans what {@link Fleet.move} would do. @throws CriuError as {@link Fleet.move} does */
  async planMove(workload: string, options: PlanMoveOptions = {}): Promise<FleetPlan> {
    const { view } = await this.#viewWithWorkload('move', workload);
    return planMove(view, workload, options);
  }

  /**
   * Moves all workloads away from a host, which takes no new ones from now on. Those that no host fits stay: see
   * `unplaced` of the operation. {@link Fleet.undrain} ends it.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED
   */
  async drain(host: string, given: DrainOptions = {}): Promise<FleetOperation> {
    const { limits, ...options } = splitLimits('drain', given);
    await this.#viewWithHost('drain', host);
    // First of all, so that the plan is about all that the host will ever have.
    await this.#dispatcher.command(host, { kind: 'drain' });
    const plan = planDrain(await this.view(), host, options);
    return await this.#orderMoves('drain', host, plan, limits);
  }

  /** Plans what {@link Fleet.drain} would do. @throws CriuError as {@link Fleet.drain} does */
  async planDrain(host: string, options: PlanDrainOptions = {}): Promise<FleetPlan> {
    return planDrain(await this.#viewWithHost('drain', host), host, options);
  }

  /**
   * Moves workloads from hosts with little free memory to others.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_FLEET
   */
  async rebalance(given: RebalanceOptions = {}): Promise<FleetOperation> {
    const { limits, ...options } = splitLimits('rebalance', given);
    return await this.#orderMoves(
      'rebalance',
      this.name,
      await this.planRebalance(options),
      limits,
    );
  }

  /** Plans what {@link Fleet.rebalance} would do. @throws CriuError as {@link Fleet.rebalance} does */
  async planRebalance(options: PlanRebalanceOptions = {}): Promise<FleetPlan> {
    return planRebalance(await this.view(), options);
  }

  async #orderMoves(
    kind: 'move' | 'drain' | 'rebalance',
    target: string,
    { moves, unplaced }: Omit<FleetPlan, 'notes'>,
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
   * Restarts the workloads of a host that is lost, and fenced, from their last checkpoints, on hosts that hold these. What
   * they did since is lost, and so are their connections. Workloads without a checkpoint on a live host are in `unplaced`
   * of the operation; {@link Fleet.planRecover} says why. If the host comes back, it ends what ran there before it does
   * anything else, and is cordoned. There is one copy of each at most if the host is really fenced.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT without `fenced: true` or a function `fence`; ERR_CRIU_FLEET if the host is
   * alive, or `fence` rejects
   */
  async recover(host: string, given: RecoverOptions): Promise<FleetOperation> {
    const { fenced: _, fence, ...options } = splitFencing(given);
    requireLost(host, await this.#viewWithHost('recover', host));
    try {
      await fence?.(host);
    } catch (cause) {
      const { message } = cause as Error;
      throw fleetFailure('recover', `${host} is not fenced: ${message}`, { cause });
    }
    await this.#dispatcher.fence(host);
    const { restarts, unplaced } = await this.planRecover(host, options);
    const steps = restarts.map(({ workload, to, checkpoint, generation, memoryBytes }) => ({
      host: to,
      action: { kind: 'restart', workload, checkpoint, lostHost: host, generation } as const,
      shown: { workload, from: undefined, to, memoryBytes },
    }));
    return await this.#dispatcher.order({
      ...{ kind: 'restart', target: host, steps },
      unplaced: unplaced.map(({ workload }) => workload),
    });
  }

  /** Plans what {@link Fleet.recover} would do. @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_FLEET */
  async planRecover(host: string, options: PlacementOptions = {}): Promise<RestartPlan> {
    return planRestart(await this.#viewWithHost('recover', host), host, options);
  }

  /**
   * Keeps new workloads away from a host; those that it has stay.
   * @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED
   */
  async cordon(host: string): Promise<void> {
    await this.#viewWithHost('cordon', host);
    await this.#dispatcher.command(host, { kind: 'cordon' });
  }

  /** Lets new workloads come to a host again. @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED */
  async uncordon(host: string): Promise<void> {
    await this.#viewWithHost('uncordon', host);
    await this.#dispatcher.command(host, { kind: 'uncordon' });
  }

  /**
   * Ends a drain: the moves from the host that have not switched over are cancelled, and it takes workloads again.
   * @throws CriuError ERR_CRIU_FLEET, ERR_CRIU_FLEET_REFUSED
   */
  async undrain(host: string): Promise<void> {
    await this.#viewWithHost('undrain', host);
    await this.#dispatcher.command(host, { kind: 'undrain' });
  }

  /** Removes a workload that has ended from the fleet. @throws CriuError ERR_CRIU_FLEET if it runs */
  async forget(workload: string): Promise<void> {
    const { host } = (await this.#viewWithWorkload('forget', workload)).found;
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

  /** Reads the view once, for what is asked about a host that is in it. */
  async #viewWithHost(operation: string, host: string): Promise<FleetView> {
    checkValue(operation, 'host', nameCheck, host);
    const view = await this.view();
    requireHost(operation, host, view);
    return view;
  }

  async #viewWithWorkload(
    operation: string,
    workload: string,
  ): Promise<{ readonly view: FleetView; readonly found: FleetWorkload }> {
    checkValue(operation, 'workload', nameCheck, workload);
    const view = await this.view();
    const found = view.workloads.find(({ name }) => name === workload);
    if (found) return { view, found };
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

function memoryOf(spec: WorkloadSpec): number {
  return 'memoryBytes' in spec ? (spec.memoryBytes ?? 0) : 0;
}
