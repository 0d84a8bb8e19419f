import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type Processor, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { CriuError } from '../../errors.ts';
import { formatEndpoint } from '../../netlink/ip-address.ts';
import { requirePrivate } from '../../process/private-directory.ts';
import { DirectoryLock } from '../../store/directory-lock.ts';
import { fleetFailure } from '../failure.ts';
import { type OperationJob, summarize } from '../operator/summary.ts';
import type { Action } from '../orders/order.ts';
import { redisFailure } from '../redis/connection.ts';
import { type FleetKeys, movesOf, OPERATIONS, ordersOf } from '../redis/keys.ts';
import {
  type HostRecord,
  readHost,
  readWorkloadsOf,
  type WorkloadRecord,
} from '../redis/records.ts';
import type { WorkloadSpec } from '../workload-spec.ts';
import { OrderedArrivals } from './arrivals.ts';
import type { ArrivalServer, HostBackend } from './backend.ts';
import { HostStateFile } from './host-state.ts';
import type { MemberOptions } from './member-options.ts';
import { MoveSlots } from './move-slots.ts';
import { type MoveOutcome, Mover } from './mover.ts';
import { type AcceptedOrder, OrderDesk, type OrderJob } from './order-desk.ts';
import { OrderJournal } from './order-journal.ts';
import { Publication } from './publication.ts';
import { StateDirectory } from './state-directory.ts';
import { TryLater } from './step-failure.ts';
import { WorkloadNames } from './workload-names.ts';
import { type WorkloadEntry, WorkloadTable } from './workload-table.ts';

/** How many short orders a host carries out at once. */
const SHORT_ORDERS = 16;
/** The longest time between two attempts of a move, in milliseconds. */
const MAX_BACKOFF_MS = 30_000;
const MIN_BACKOFF_MS = 500;
/** After this many heartbeats without a sign of life the job of an agent that has died goes to the next one. */
const LOCK = 4;
/** How often the progress of a move is written, in milliseconds. */
const PROGRESS_MS = 500;
/**
 * How long a worker without jobs waits before it asks again, in seconds. A new job wakes it at once; meanwhile Redis frees the
 * buffers of its connection, which are most of its memory if thousands ask all the time.
 */
const DRAIN_DELAY_S = 30;
/** How long the end of a move waits for the destination to say that it has the workload, in milliseconds. */
const SEEN_MS = 2000;
const SEEN_POLL_MS = 20;
const OPERATION = 'join';

type MoveAction = Extract<Action, { readonly kind: 'move' }>;

/** What a member of a fleet is made with. */
export interface MemberContext {
  readonly fleet: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly backend: HostBackend;
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
  readonly #names: WorkloadNames;
  readonly #slots: MoveSlots;
  readonly #mover: Mover;
  readonly #lock: DirectoryLock;
  readonly #workers: Worker[] = [];
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
    const { name, heartbeatMs, limits } = options;
    const { redis, keys, backend } = context;
    this.name = name;
    this.#options = options;
    this.#context = context;
    this.#lock = own.lock;
    this.#table = new WorkloadTable(own.directory);
    this.#state = new HostStateFile(own.directory);
    this.#journal = new OrderJournal(own.directory);
    this.#names = new WorkloadNames(redis, keys, name);
    this.#slots = new MoveSlots(redis, keys);
    const share = limits.bandwidth && Math.max(1, Math.floor(limits.bandwidth / limits.outgoing));
    this.#mover = new Mover(backend, this.#table, share);
    this.#publication = new Publication(redis, keys, {
      ...{ name, id: own.id, heartbeatMs },
      publisher: { host: () => this.#describe(), workloads: () => this.#describeWorkloads() },
    });
    this.#moves = new Queue(movesOf(name), { connection: redis, prefix: keys.prefix });
    this.#moves.on('error', (error) => this.#warn(error));
  }

  /** Where other hosts send workloads, as `HOST:PORT`. */
  get endpoint(): string {
    return this.#server ? formatEndpoint(this.#server) : '';
  }

  async #start(): Promise<void> {
    const { fleet, backend } = this.#context;
    const { name, operators, limits, heartbeatMs } = this.#options;
    await this.#publication.hold();
    await Promise.all([this.#table.load(), this.#state.load(), this.#journal.load()]);
    const arrivals = new OrderedArrivals({
      ...{ fleet, name, operators, backend, table: this.#table, state: this.#state },
      changed: () => this.#beatSoon(),
    });
    this.#server = await backend.serve(arrivals, limits.incoming);
    await this.#mover.recover().catch((error: Error) => this.#warn(error));
    await this.#publication.beat();
    this.#startWorkers();
    this.#timer = setInterval(() => this.#beatSoon(), heartbeatMs);
  }

  #startWorkers(): void {
    const { fleet } = this.#context;
    const { name, operators, limits } = this.#options;
    const desk = new OrderDesk({ fleet, name, operators, journal: this.#journal });
    const obey = (job: Job<OrderJob>, signal?: AbortSignal) =>
      desk.process(job, signal ?? new AbortController().signal, (order) => this.#carryOut(order));
    this.#work<OrderJob>(ordersOf(name), SHORT_ORDERS, (job, _token, signal) => obey(job, signal));
    this.#work<OrderJob>(movesOf(name), limits.outgoing, (job, _token, signal) =>
      obey(job, signal),
    );
    this.#work<OperationJob>(OPERATIONS, 1, (job) => summarize(job));
  }

  #work<T>(queue: string, concurrency: number, processor: Processor<T>): void {
    const { keys } = this.#context;
    const { heartbeatMs } = this.#options;
    const worker = new Worker<T>(queue, processor, {
      ...{ connection: this.#context.redis, prefix: keys.prefix, concurrency },
      ...{ name: this.name, lockDuration: LOCK * heartbeatMs },
      stalledInterval: heartbeatMs,
      // A move that a dead agent has begun is taken up again by the next one, however often that happens.
      maxStalledCount: 1000,
      drainDelay: DRAIN_DELAY_S,
      settings: { backoffStrategy },
    });
    worker.on('error', (error) => this.#warn(error));
    this.#workers.push(worker);
  }

  async #carryOut(accepted: AcceptedOrder): Promise<unknown> {
    const { action } = accepted.order;
    switch (action.kind) {
      case 'move':
        return await this.#move(accepted as AcceptedOrder<MoveAction>);
      case 'run':
        return await this.#run(action.workload);
      case 'cordon':
      case 'uncordon':
      case 'drain':
      case 'undrain':
        return await this.#setState(action.kind);
      case 'cancel':
        return await this.#cancel(action.steps, accepted.order.expiresAt);
      case 'forget':
        return await this.#forget(action.workload);
    }
  }

  async #move(accepted: AcceptedOrder<MoveAction>): Promise<MoveOutcome> {
    const { order, signed, job, signal } = accepted;
    let lastWrite = 0;
    const outcome = await this.#slots.run(order.id, signal, () =>
      this.#mover.move(order, {
        ...{ signed, signal },
        endpointOf: (host) => this.#endpointOf(host),
        moved: (result) => accepted.note(result),
        progress: (progress) => {
          const now = performance.now();
          if (now - lastWrite < PROGRESS_MS) return;
          lastWrite = now;
          // Progress is for those who watch: a move does not fail for it.
          job.updateProgress(progress).catch(() => {});
        },
      }),
    );
    await this.#awaitSeen(order.action.workload, order.action.to);
    return outcome;
  }

  /** Whoever looks after an operation has ended finds the workload at its destination: that has told Redis by then. */
  async #awaitSeen(workload: string, host: string): Promise<void> {
    const { redis, keys } = this.#context;
    const until = performance.now() + SEEN_MS;
    try {
      while (performance.now() < until) {
        const there = await readWorkloadsOf(redis, keys, host);
        if (there.some(({ name }) => name === workload)) break;
        await sleep(SEEN_POLL_MS);
      }
      await this.#publication.beat();
    } catch (error) {
      this.#warn(error as Error);
    }
  }

  async #endpointOf(host: string): Promise<{ host: string; port: number }> {
    const { redis, keys } = this.#context;
    const [text, lease] = await Promise.all([
      redis.hget(keys.hosts, host),
      redis.exists(`mutex:${keys.lease(host)}`),
    ]);
    const record = text === null ? undefined : readHost(text);
    if (!record || lease === 0) throw new TryLater(`${host} has not been heard of`);
    return record.endpoint;
  }

  async #run(spec: WorkloadSpec): Promise<{ pid: number }> {
    const { name } = spec;
    if (this.#state.current !== 'ready') {
      throw fleetFailure('run', `${this.name} is ${this.#state.current}`);
    }
    const known = this.#table.get(name);
    if (known) throw fleetFailure('run', `${this.name} has a workload ${name}`);
    await this.#names.claim(name);
    try {
      const { kind, pid, startTime } = await this.#context.backend.start(spec);
      await this.#table.put({
        ...{ spec, kind, root: { pid, startTime }, state: 'running' },
        ...{ migration: undefined, generation: 0, since: Date.now() },
      });
      await this.#publication.beat();
      return { pid };
    } catch (error) {
      if (!this.#table.get(name)) await this.#names.release(name);
      throw error;
    }
  }

  /**
   * Makes a process or a container that runs on this host a workload of the fleet.
   * @throws CriuError ERR_CRIU_FLEET if the fleet has a workload of that name, or there is no such process
   */
  async register(spec: WorkloadSpec): Promise<void> {
    await this.#run(spec);
  }

  async #setState(order: 'cordon' | 'uncordon' | 'drain' | 'undrain'): Promise<{ state: string }> {
    const states = {
      cordon: 'cordoned',
      uncordon: 'ready',
      drain: 'draining',
      undrain: 'ready',
    } as const;
    const state = states[order];
    await this.#state.set(state);
    if (order === 'undrain') await this.#cancelMoves();
    await this.#publication.beat();
    return { state };
  }

  /** Cancels all moves from this host that have not switched over. */
  async #cancelMoves(): Promise<void> {
    const jobs = await this.#moves.getJobs(['active', 'waiting', 'delayed', 'prioritized']);
    for (const job of jobs) {
      if (job.id !== undefined) await this.#cancelStep(job.id, Date.now());
    }
  }

  async #cancel(steps: readonly string[], expiresAt: number): Promise<{ cancelled: number }> {
    for (const step of steps) await this.#cancelStep(step, expiresAt);
    return { cancelled: steps.length };
  }

  /** A step that waits is refused when its turn comes; one that is delayed has its turn now. */
  async #cancelStep(step: string, expiresAt: number): Promise<void> {
    const known = this.#journal.get(step);
    if (known?.state === 'done' || known?.state === 'failed') return;
    if (!this.#mover.cancel(step)) {
      await this.#journal.write(step, expiresAt, { state: 'cancelled' });
    }
    const job = await this.#moves.getJob(step);
    if (await job?.isDelayed()) await job?.promote().catch(() => {});
  }

  /** Forgets a workload that has ended. */
  async #forget(name: string): Promise<object> {
    const entry = this.#table.get(name);
    if (!entry) throw fleetFailure('forget', `${this.name} has no workload ${name}`);
    if (entry.state === 'running' && this.#context.backend.isRunning(entry.root)) {
      throw fleetFailure('forget', `${name} runs: end it first`);
    }
    await this.#table.remove(name);
    await this.#names.release(name);
    await this.#publication.beat();
    return {};
  }

  async #describe(): Promise<HostRecord> {
    const { labels, limits, allowAddresses = [] } = this.#options;
    const facts = await this.#context.backend.facts();
    const isEmpty = this.#table.all.every((entry) => this.#stateOf(entry) === 'ended');
    if (this.#state.current === 'draining' && isEmpty) await this.#state.set('drained');
    return {
      ...{ name: this.name, labels, limits, facts, seenAt: Date.now() },
      state: this.#state.current,
      endpoint: { host: this.#server?.host ?? '', port: this.#server?.port ?? 0 },
      allowAddresses: allowAddresses.map(textOfAddress),
    };
  }

  async #describeWorkloads(): Promise<WorkloadRecord[]> {
    return await Promise.all(
      this.#table.all
        .filter(({ state }) => state !== 'arriving')
        .map(async (entry) => {
          const { spec, kind, root, generation, since } = entry;
          const state = this.#stateOf(entry);
          const isHere = state !== 'ended';
          return {
            ...{ name: spec.name, kind, pid: root.pid, generation, since, state },
            labels: spec.labels ?? {},
            placement: spec.placement ?? {},
            addresses: (spec.addresses ?? []).map(textOfAddress),
            allowPostCopy: spec.allowPostCopy ?? false,
            memoryBytes: isHere ? await this.#context.backend.memoryBytes(root) : 0,
            movingTo: state === 'moving' ? this.#mover.destinationOf(spec.name) : undefined,
            checkpoint: undefined,
          };
        }),
    );
  }

  #stateOf({ spec, root, state }: WorkloadEntry): WorkloadRecord['state'] {
    if (state === 'moving') return this.#mover.destinationOf(spec.name) ? 'moving' : 'unresolved';
    return this.#context.backend.isRunning(root) ? 'running' : 'ended';
  }

  #beatSoon(): void {
    if (this.#closing) return;
    this.#beating = this.#beating.then(() => this.#beat());
  }

  /** The agent goes on without Redis; its host counts as lost meanwhile. */
  async #beat(): Promise<void> {
    if (this.#closing) return;
    try {
      await this.#publication.beat();
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
   * workloads. They run on. Idempotent.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.#server?.close();
    await this.#publication.end().catch(() => {});
    await this.#moves.close().catch(() => {});
    await this.#lock[Symbol.asyncDispose]();
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

function textOfAddress(address: string | { readonly address: string }): string {
  return typeof address === 'string' ? address : address.address;
}
