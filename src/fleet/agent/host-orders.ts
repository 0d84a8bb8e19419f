import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { fleetFailure, orderRefused } from '../failure.ts';
import type { Action } from '../orders/order.ts';
import type { FleetKeys } from '../redis/keys.ts';
import { readHost, readWorkloadsOf } from '../redis/records.ts';
import type { WorkloadSpec } from '../workload-spec.ts';
import type { HostBackend } from './backend.ts';
import type { HostCheckpoints } from './checkpoints/host-checkpoints.ts';
import type { RestartOutcome } from './checkpoints/restarter.ts';
import type { Fencing } from './fencing.ts';
import type { HostStateFile } from './host-state.ts';
import type { MoveSlots } from './move-slots.ts';
import type { MoveOutcome, Mover } from './mover.ts';
import type { AcceptedOrder } from './order-desk.ts';
import type { OrderJournal } from './order-journal.ts';
import { TryLater } from './step-failure.ts';
import type { WorkloadLocks } from './workload-locks.ts';
import type { WorkloadNames } from './workload-names.ts';
import type { WorkloadTable } from './workload-table.ts';

/** How often the progress of a move is written, in milliseconds. */
const PROGRESS_MS = 500;
/** How long the end of a move waits for the destination to say that it has the workload, in milliseconds. */
const SEEN_MS = 2000;
const SEEN_POLL_MS = 20;

type MoveAction = Extract<Action, { readonly kind: 'move' }>;
type RestartAction = Extract<Action, { readonly kind: 'restart' }>;

/** The parts of a host that orders are about. */
export interface OrderedHost {
  readonly name: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly backend: HostBackend;
  readonly table: WorkloadTable;
  readonly state: HostStateFile;
  readonly journal: OrderJournal;
  readonly names: WorkloadNames;
  readonly slots: MoveSlots;
  readonly mover: Mover;
  readonly locks: WorkloadLocks;
  readonly fencing: Fencing;
  /** Undefined in a simulation, which has none. */
  readonly checkpoints: HostCheckpoints | undefined;
  /** The queue of the moves from the host. */
  readonly moves: Queue;
  /** Says in Redis what the host is and has. */
  publish(): Promise<void>;
  warn(error: Error): void;
}

/** Carries out the orders to a host, which have been verified. */
export class HostOrders {
  readonly #host: OrderedHost;

  constructor(host: OrderedHost) {
    this.#host = host;
  }

  /** Does what an order says, and resolves with what has come of it. */
  async carryOut(accepted: AcceptedOrder): Promise<unknown> {
    const { action } = accepted.order;
    // The order may have waited while this host was declared dead.
    await this.#host.fencing.check();
    switch (action.kind) {
      case 'move':
        return await this.#move(accepted as AcceptedOrder<MoveAction>);
      case 'run':
        return await this.run(action.workload);
      case 'cordon':
      case 'uncordon':
      case 'drain':
      case 'undrain':
        return await this.#setState(action.kind);
      case 'cancel':
        return await this.#cancel(action.steps, accepted.order.expiresAt);
      case 'forget':
        return await this.#forget(action.workload);
      case 'restart':
        return await this.#restart(accepted as AcceptedOrder<RestartAction>);
      case 'fence':
        throw orderRefused('this host runs: it cannot be fenced by an order to it');
    }
  }

  async #move(accepted: AcceptedOrder<MoveAction>): Promise<MoveOutcome> {
    const { id, action } = accepted.order;
    const outcome = await this.#host.slots.run(id, accepted.signal, () => this.#try(accepted));
    await this.#awaitSeen(action.workload, action.to);
    return outcome;
  }

  async #try({
    order,
    signed,
    job,
    signal,
    note,
  }: AcceptedOrder<MoveAction>): Promise<MoveOutcome> {
    let lastWrite = 0;
    try {
      return await this.#host.locks.run(order.action.workload, () =>
        this.#host.mover.move(order, {
          ...{ signed, signal },
          endpointOf: (host) => this.#endpointOf(host),
          moved: (result) => note(result),
          progress: (progress) => {
            const now = performance.now();
            if (now - lastWrite < PROGRESS_MS) return;
            lastWrite = now;
            // Progress is for those who watch: a move does not fail for it.
            job.updateProgress(progress).catch(() => {});
          },
        }),
      );
    } catch (error) {
      // A heartbeat may have said that the workload is being moved.
      await this.#host.publish().catch((error: Error) => this.#host.warn(error));
      throw error;
    }
  }

  /** Whoever looks after an operation has ended finds the workload at its destination: that has told Redis by then. */
  async #awaitSeen(workload: string, host: string): Promise<void> {
    const { redis, keys } = this.#host;
    const until = performance.now() + SEEN_MS;
    try {
      while (performance.now() < until) {
        const there = await readWorkloadsOf(redis, keys, host);
        if (there.some(({ name }) => name === workload)) break;
        await sleep(SEEN_POLL_MS);
      }
      await this.#host.publish();
    } catch (error) {
      this.#host.warn(error as Error);
    }
  }

  async #endpointOf(host: string): Promise<{ host: string; port: number }> {
    const { redis, keys } = this.#host;
    const [text, lease] = await Promise.all([
      redis.hget(keys.hosts, host),
      redis.exists(keys.leaseKey(host)),
    ]);
    const record = text === null ? undefined : readHost(text);
    if (!record || lease === 0) throw new TryLater(`${host} has not been heard of`);
    return record.endpoint;
  }

  /** @throws CriuError ERR_CRIU_FLEET if the fleet has a workload of that name, or it cannot be started */
  async run(spec: WorkloadSpec): Promise<{ pid: number }> {
    const { name } = spec;
    if (this.#host.state.current !== 'ready') {
      throw fleetFailure('run', `${this.#host.name} is ${this.#host.state.current}`);
    }
    const known = this.#host.table.get(name);
    if (known) throw fleetFailure('run', `${this.#host.name} has a workload ${name}`);
    await this.#host.names.claim(name);
    try {
      const { pid, startTime, ...started } = await this.#host.backend.start(spec);
      await this.#host.table.put({
        ...{ ...started, root: { pid, startTime }, state: 'running' },
        ...{ migration: undefined, generation: 0, since: Date.now() },
      });
      await this.#host.publish();
      return { pid };
    } catch (error) {
      if (!this.#host.table.get(name)) await this.#host.names.release(name);
      throw error;
    }
  }

  async #setState(order: 'cordon' | 'uncordon' | 'drain' | 'undrain'): Promise<{ state: string }> {
    const states = {
      cordon: 'cordoned',
      uncordon: 'ready',
      drain: 'draining',
      undrain: 'ready',
    } as const;
    const state = states[order];
    if (state === 'ready') await this.#host.fencing.lift();
    await this.#host.state.set(state);
    if (order === 'undrain') await this.#cancelMoves();
    await this.#host.publish();
    return { state };
  }

  /** Cancels all moves from this host that have not switched over. */
  async #cancelMoves(): Promise<void> {
    const jobs = await this.#host.moves.getJobs(['active', 'waiting', 'delayed', 'prioritized']);
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
    const known = this.#host.journal.get(step);
    if (known?.state === 'done' || known?.state === 'failed') return;
    if (!this.#host.mover.cancel(step)) {
      await this.#host.journal.write(step, expiresAt, { state: 'cancelled' });
    }
    const job = await this.#host.moves.getJob(step);
    if (await job?.isDelayed()) await job?.promote().catch(() => {});
  }

  /** Forgets a workload that has ended. */
  async #forget(name: string): Promise<object> {
    const entry = this.#host.table.get(name);
    if (!entry) throw fleetFailure('forget', `${this.#host.name} has no workload ${name}`);
    if (entry.state === 'running' && this.#host.backend.isRunning(entry.root)) {
      throw fleetFailure('forget', `${name} runs: end it first`);
    }
    await this.#host.backend.end(entry.spec);
    await this.#host.table.remove(name);
    await this.#host.names.release(name);
    await this.#host.publish();
    return {};
  }

  async #restart({ order, signed }: AcceptedOrder<RestartAction>): Promise<RestartOutcome> {
    const { checkpoints, fencing, locks, name, state } = this.#host;
    if (!checkpoints) throw orderRefused('this host does not restart workloads');
    if (state.current !== 'ready') throw orderRefused(`${name} is ${state.current}`);
    const { workload } = order.action;
    const note = () => fencing.noteRestart(workload, signed);
    return await locks.run(workload, () => checkpoints.restart(order, note));
  }
}
