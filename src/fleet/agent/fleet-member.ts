import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Job, type Processor, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { within } from '../../concurrency/deadline.ts';
import type { CriuError } from '../../errors.ts';
import { formatEndpoint } from '../../netlink/ip-address.ts';
import { requirePrivate } from '../../process/private-directory.ts';
import { DirectoryLock } from '../../store/directory-lock.ts';
import { fleetFailure } from '../failure.ts';
import { type OperationJob, summarize } from '../operator/summary.ts';
import { redisFailure } from '../redis/connection.ts';
import { checkpointsOf, type FleetKeys, movesOf, OPERATIONS, ordersOf } from '../redis/keys.ts';
import type { WorkloadSpec } from '../workload-spec.ts';
import { OrderedArrivals } from './arrivals.ts';
import type { ArrivalServer, HostBackend } from './backend.ts';
import type { CheckpointTools } from './checkpoints/checkpoint-keeper.ts';
import type { CheckpointJob } from './checkpoints/checkpoint-schedules.ts';
import { HostCheckpoints } from './checkpoints/host-checkpoints.ts';
import { Fencing } from './fencing.ts';
import { HostDescription } from './host-description.ts';
import { HostOrders } from './host-orders.ts';
import { HostStateFile } from './host-state.ts';
import type { MemberOptions } from './member-options.ts';
import { MoveSlots } from './move-slots.ts';
import { Mover } from './mover.ts';
import { OrderDesk, type OrderJob } from './order-desk.ts';
import { OrderJournal } from './order-journal.ts';
import { Publication } from './publication.ts';
import { StateDirectory } from './state-directory.ts';
import { WorkloadLocks } from './workload-locks.ts';
import { WorkloadNames } from './workload-names.ts';
import { WorkloadTable } from './workload-table.ts';

/** How many short orders a host carries out at once. */
const SHORT_ORDERS = 16;
/** The longest time between two attempts of a move, in milliseconds. */
const MAX_BACKOFF_MS = 30_000;
const MIN_BACKOFF_MS = 500;
/** After this many heartbeats without a sign of life the job of an agent that has died goes to the next one. */
const LOCK = 4;
/**
 * How long a worker without jobs waits before it asks again, in seconds. A new job wakes it at once; meanwhile Redis frees the
 * buffers of its connection, which are most of its memory if thousands ask all the time.
 */
const DRAIN_DELAY_S = 30;
/** The same for the queue that all agents share: Redis tells one of them of a new job, and that one may hang. */
const SHARED_DRAIN_DELAY_S = 5;
/** How long Redis may take for what an agent says and asks at its end, in milliseconds. It may be away. */
const FAREWELL_MS = 5000;
const OPERATION = 'join';

/** What a member of a fleet is made with. */
export interface MemberContext {
  readonly fleet: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly backend: HostBackend;
  /** With what checkpoints are made; undefined in a simulation, which has none. */
  readonly checkpoints?: CheckpointTools | undefined;
}

/**
 * This host in a fleet. Its journals are the truth about its workloads; they outlive the agent and Redis. When it is
 * closed, the workloads run on.
 */
export class FleetMember implements AsyncDisposable {
  /** The name of the host. */
  readonly name: string;
  readonly #context: MemberContext;
  readonly #options: MemberOptions;
  readonly #table: WorkloadTable;
  readonly #state: HostStateFile;
  readonly #journal: OrderJournal;
  readonly #publication: Publication;
  readonly #mover: Mover;
  readonly #fencing: Fencing;
  readonly #checkpoints: HostCheckpoints | undefined;
  readonly #orders: HostOrders;
  readonly #lock: DirectoryLock;
  readonly #workers: Worker[] = [];
  /** The jobs that are under way. */
  readonly #jobs = new Set<Promise<unknown>>();
  readonly #moves: Queue;
  #server: ArrivalServer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** Joins a fleet: see `fleet.join()`. @internal */
  static async join(options: MemberOptions, context: MemberContext): Promise<FleetMember> {
    const directory = join(options.directory, 'fleet');
    await requirePrivate(OPERATION, options.directory);
    const identity = new StateDirectory<{ readonly id: string }>(join(directory, 'agent'));
    const known = (await identity.load()).get('identity');
    const lock = await DirectoryLock.take(join(directory, 'agent'), 'exclusive');
    if (!lock)
      throw fleetFailure(OPERATION, `another agent uses the directory ${options.directory}`);
    const { id } = known ?? { id: randomUUID() };
    if (!known) await identity.write('identity', { id });
    const member = new FleetMember(options, context, { directory, id, lock });
    try {
      await member.#start();
      return member;
    } catch (error) {
      await member.close();
      throw redisFailure(OPERATION, error as Error, context.redis);
    }
  }

  private constructor(
    options: MemberOptions,
    context: MemberContext,
    own: { readonly directory: string; readonly id: string; readonly lock: DirectoryLock },
  ) {
    const { name, heartbeatMs } = options;
    const { redis, keys, backend } = context;
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#lock = own.lock;
    this.#table = new WorkloadTable(own.directory);
    this.#state = new HostStateFile(own.directory);
    this.#journal = new OrderJournal(own.directory);
    this.#mover = new Mover(backend, this.#table);
    this.#publication = new Publication(redis, keys, {
      ...{ name, id: own.id, heartbeatMs },
      publisher: new HostDescription({
        ...{ name, options, backend, table: this.#table, state: this.#state, mover: this.#mover },
        endpoint: () => ({ host: this.#server?.host ?? '', port: this.#server?.port ?? 0 }),
        checkpointPort: () => this.#checkpoints?.port,
      }),
    });
    const locks = new WorkloadLocks();
    const publish = () => this.#publish();
    const warn = (error: Error) => this.#warn(error);
    const host = { name, redis, keys, backend, table: this.#table, locks, publish, warn };
    this.#fencing = new Fencing(own.directory, {
      ...{ ...host, fleet: context.fleet, operators: options.operators },
      ended: (names, reason) => this.#fenced(names, reason),
    });
    const { directory } = own;
    const changed = () => this.#beatSoon();
    this.#checkpoints =
      context.checkpoints &&
      new HostCheckpoints({ ...host, directory, changed }, context.checkpoints);
    this.#moves = new Queue(movesOf(name), { connection: redis, prefix: keys.prefix });
    this.#moves.on('error', warn);
    this.#orders = new HostOrders({
      ...{ ...host, state: this.#state, journal: this.#journal, mover: this.#mover },
      ...{ moves: this.#moves, names: new WorkloadNames(redis, keys, name) },
      ...{ fencing: this.#fencing, checkpoints: this.#checkpoints },
      slots: new MoveSlots(redis, keys),
    });
  }

  /** Where other hosts send workloads, as `HOST:PORT`. */
  get endpoint(): string {
    return this.#server ? formatEndpoint(this.#server) : '';
  }

  async #start(): Promise<void> {
    const { fleet, backend } = this.#context;
    const { name, operators, limits, heartbeatMs } = this.#options;
    await this.#publication.hold();
    const files = [this.#table, this.#state, this.#journal, this.#fencing];
    await Promise.all(files.map((each) => each.load()));
    // Before anything is resumed or resolved: this host may have been declared dead.
    await this.#fencing.check();
    const arrivals = new OrderedArrivals({
      ...{ fleet, name, operators, backend, table: this.#table, state: this.#state },
      isOutdated: (workload, generation) => this.#fencing.isOutdated(workload, generation),
      changed: () => this.#beatSoon(),
    });
    this.#server = await backend.serve(arrivals, limits.incoming);
    await this.#checkpoints?.start();
    await this.#mover.recover().catch((error: Error) => this.#warn(error));
    await this.#publish();
    this.#startWorkers();
    this.#timer = setInterval(() => this.#beatSoon(), heartbeatMs);
  }

  #startWorkers(): void {
    const { fleet } = this.#context;
    const { name, operators, limits } = this.#options;
    const desk = new OrderDesk({ fleet, name, operators, journal: this.#journal });
    const obey = (job: Job<OrderJob>, signal?: AbortSignal) =>
      desk.process(job, signal ?? new AbortController().signal, (order) =>
        this.#orders.carryOut(order),
      );
    this.#work<OrderJob>(ordersOf(name), SHORT_ORDERS, (job, _token, signal) => obey(job, signal));
    this.#work<OrderJob>(movesOf(name), limits.outgoing, (job, _token, signal) =>
      obey(job, signal),
    );
    const checkpoints = this.#checkpoints;
    if (checkpoints) {
      this.#work<CheckpointJob>(checkpointsOf(name), 1, (job) => checkpoints.make(job.data));
    }
    this.#work<OperationJob>(OPERATIONS, 1, (job) => summarize(job));
  }

  #work<T>(queue: string, concurrency: number, processor: Processor<T>): void {
    const { keys } = this.#context;
    const { heartbeatMs } = this.#options;
    // BullMQ passes a signal only to a function that declares three parameters.
    const process: Processor<T> = (job, token, signal) =>
      this.#underWay(processor(job, token, signal));
    const worker = new Worker<T>(queue, process, {
      ...{ connection: this.#context.redis, prefix: keys.prefix, concurrency },
      ...{ name: this.name, lockDuration: LOCK * heartbeatMs },
      stalledInterval: heartbeatMs,
      // A move that a dead agent has begun is taken up again by the next one, however often that happens.
      maxStalledCount: 1000,
      drainDelay: queue === OPERATIONS ? SHARED_DRAIN_DELAY_S : DRAIN_DELAY_S,
      settings: { backoffStrategy },
    });
    worker.on('error', (error) => this.#warn(error));
    this.#workers.push(worker);
  }

  async #underWay<T>(job: Promise<T>): Promise<T> {
    this.#jobs.add(job);
    try {
      return await job;
    } finally {
      this.#jobs.delete(job);
    }
  }

  /**
   * Makes a process or a container that runs on this host a workload of the fleet.
   * @throws CriuError ERR_CRIU_FLEET if the fleet has a workload of that name, or there is no such process
   */
  async register(spec: WorkloadSpec): Promise<void> {
    await this.#orders.run(spec);
  }

  #beatSoon(): void {
    // Before it listens, it could only say that nobody reaches it.
    if (this.#closing || !this.#server) return;
    this.#beating = this.#beating.then(() => this.#beat());
  }

  /** Says in Redis what this host is and has. */
  async #publish(): Promise<void> {
    await this.#fencing.check();
    await this.#publication.beat();
    await this.#fencing.publish();
    await this.#checkpoints?.publish();
  }

  /** What ran here was declared dead, and has been ended. */
  async #fenced(names: readonly string[], reason: string): Promise<void> {
    await this.#state.set('cordoned');
    const what = names.length === 0 ? 'nothing ran here' : `${names.join(', ')} was ended here`;
    this.#warn(fleetFailure('fence', `${what}, and ${this.name} is cordoned: ${reason}`));
  }

  /** The agent goes on without Redis; its host counts as lost meanwhile. */
  async #beat(): Promise<void> {
    if (this.#closing) return;
    try {
      await this.#publish();
      if (this.#closing) return;
      for (const worker of this.#workers) if (worker.isPaused()) worker.resume();
      await this.#journal.prune();
    } catch (error) {
      this.#warn(error as Error);
      if ((error as CriuError).operation !== OPERATION) return;
      // Another agent has the name: its orders are not for this one.
      await Promise.all(this.#workers.map((worker) => worker.pause(true)));
    }
  }

  #warn(error: Error): void {
    if (this.#closing) return;
    try {
      this.#options.hooks?.warning?.(redisFailure('agent', error, this.#context.redis));
    } catch {
      // As documented.
    }
  }

  /**
   * Leaves the fleet: takes no more orders, waits for the moves that are under way, and no longer receives
   * workloads. They run on. Redis is given up after 5 seconds if it is away; timers of BullMQ then keep Node running
   * until it is back. Idempotent.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checkpoints?.close();
    const closed = Promise.allSettled(this.#workers.map((worker) => worker.close()));
    let hasAnswered: boolean;
    // BullMQ and ioredis wait for as long as Redis is away, or forever. A job that comes meanwhile is carried out.
    do {
      await Promise.allSettled(this.#jobs);
      hasAnswered = await within(
        FAREWELL_MS,
        closed.then(() => true),
        false,
      );
    } while (this.#jobs.size > 0);
    await this.#server?.close();
    const leaving = this.#leave();
    if (hasAnswered) await within(FAREWELL_MS, leaving);
    await this.#lock[Symbol.asyncDispose]();
  }

  async #leave(): Promise<void> {
    await this.#beating;
    await this.#publication.end().catch(() => {});
    await this.#moves.close().catch(() => {});
  }

  /** The same as {@link FleetMember.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function backoffStrategy(attemptsMade: number): number {
  const delay = Math.min(MIN_BACKOFF_MS * 2 ** (attemptsMade - 1), MAX_BACKOFF_MS);
  // Hosts that were refused at the same time come back at different times.
  return Math.round(delay * (0.5 + Math.random() / 2));
}
