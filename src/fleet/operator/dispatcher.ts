import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlowProducer, type Job, Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { CriuError } from '../../errors.ts';
import { fleetFailure, fromJobReason } from '../failure.ts';
import type { Signer } from '../fleet-options.ts';
import type { FleetOperationKind, FleetOperationView } from '../operation-view.ts';
import type { Action, SignedOrder } from '../orders/order.ts';
import { signOrder } from '../orders/sign.ts';
import { redisFailure } from '../redis/connection.ts';
import { type FleetKeys, movesOf, OPERATIONS, ordersOf } from '../redis/keys.ts';
import { FleetOperation, type OperationQueues, viewOperation } from './operation.ts';
import type { OperationJob } from './summary.ts';

/** How long an order is good for, in milliseconds: the last step of a drain may wait that long for its turn. */
const ORDER_MS = 6 * 3_600_000;
/** How long the answer to a short order is waited for, in milliseconds. */
const ANSWER_MS = 30_000;
const LOOK_MS = 25;
/** How often a step is tried: with the longest back-off, for about half an hour. */
const ATTEMPTS = 60;
const DAY_S = 86_400;
/** How long the jobs of orders and steps are kept. Those of operations have all that is to be shown. */
const KEEP = {
  removeOnComplete: { age: DAY_S / 24, count: 200 },
  removeOnFail: { age: DAY_S, count: 200 },
};
const KEEP_OPERATIONS = {
  removeOnComplete: { age: 30 * DAY_S, count: 1000 },
  removeOnFail: { age: 30 * DAY_S, count: 1000 },
};

/** A step that is to be ordered. */
export interface PlannedStep {
  /** The host that carries it out. */
  readonly host: string;
  readonly action: Action;
  readonly shown: Omit<OperationJob['steps'][number], 'id'>;
}

/** An operation that is to be ordered. */
export interface PlannedOperation {
  readonly kind: FleetOperationKind;
  readonly target: string;
  readonly steps: readonly PlannedStep[];
  readonly unplaced: readonly string[];
}

/** What orders are sent with. */
export interface DispatchContext {
  readonly fleet: string;
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly operator: Signer | undefined;
}

/** Signs orders, and puts them into the queues of the hosts. */
export class Dispatcher implements AsyncDisposable {
  readonly #context: DispatchContext;
  readonly #queues = new Map<string, Queue>();
  readonly #flows: FlowProducer;
  #events: QueueEvents | undefined;

  constructor(context: DispatchContext) {
    this.#context = context;
    const { redis, keys } = context;
    this.#flows = new FlowProducer({ connection: redis, prefix: keys.prefix });
    // A command that fails says so itself.
    this.#flows.on('error', () => {});
  }

  /** All operations that Redis has, the newest first. */
  async operations(): Promise<FleetOperationView[]> {
    const { operations } = this.#operationQueues;
    const jobs = (await operations.getJobs()) as Job<OperationJob>[];
    const all = await Promise.all(jobs.map((job) => viewOperation(job, this.#operationQueues)));
    return all.sort((one, other) => other.orderedAt - one.orderedAt);
  }

  /** All queues that there are with these hosts. */
  queuesOf(hosts: readonly string[]): Queue[] {
    const names = hosts.flatMap((host) => [ordersOf(host), movesOf(host)]);
    return [OPERATIONS, ...names].map((name) => this.#queue(name));
  }

  async operation(id: string): Promise<FleetOperation> {
    const job = await this.#operationQueues.operations.getJob(id);
    if (job) return this.#operationOf(job as Job<OperationJob>);
    throw fleetFailure('operation', `there is no operation ${id}`);
  }

  /** Orders all steps of an operation as one flow. */
  async order({ kind, target, steps, unplaced }: PlannedOperation): Promise<FleetOperation> {
    const operator = this.#signer(kind);
    const id = randomUUID();
    const planned = steps.map((step) => ({ ...step, id: randomUUID() }));
    const data: OperationJob = {
      ...{ kind, target, operator: operator.name, orderedAt: Date.now(), unplaced },
      steps: planned.map(({ id: step, shown }) => ({ id: step, ...shown })),
    };
    const { prefix } = this.#context.keys;
    return await this.#ask(kind, async () => {
      const { job } = await this.#flows.add({
        ...{ name: kind, queueName: OPERATIONS, prefix, data },
        opts: { jobId: id, ...KEEP_OPERATIONS },
        children: planned.map(({ id: step, host, action }) => ({
          ...{ name: action.kind, prefix },
          queueName: action.kind === 'move' ? movesOf(host) : ordersOf(host),
          data: { order: this.#sign(operator, { id: step, operation: id, host, action }) },
          opts: {
            ...{ jobId: step, attempts: ATTEMPTS },
            ...{ backoff: { type: 'custom' }, ignoreDependencyOnFailure: true, ...KEEP },
          },
        })),
      });
      return this.#operationOf(job as Job<OperationJob>);
    });
  }

  /** Says that nothing runs on a host any more. It cannot take an order, but reads this one when it comes back. */
  async fence(host: string): Promise<void> {
    const operator = this.#signer('recover');
    const id = randomUUID();
    const order = this.#sign(operator, { id, operation: id, host, action: { kind: 'fence' } });
    const { redis, keys } = this.#context;
    await this.#ask('recover', () => redis.hset(keys.fenced, host, JSON.stringify(order)));
  }

  /** Gives a host an order that takes a moment, and waits for its answer. */
  async command<T>(host: string, action: Action): Promise<T> {
    const operator = this.#signer(action.kind);
    const id = randomUUID();
    const queue = this.#queue(ordersOf(host));
    const order = this.#sign(operator, { id, operation: id, host, action });
    return await this.#ask(action.kind, async () => {
      await queue.add(action.kind, { order }, { jobId: id, ...KEEP });
      return (await this.#answer(queue, id, { host, kind: action.kind })) as T;
    });
  }

  async #answer(queue: Queue, id: string, { host, kind }: { host: string; kind: string }) {
    const until = performance.now() + ANSWER_MS;
    for (let wait = LOOK_MS; performance.now() < until; wait = Math.min(wait * 2, 500)) {
      const job = await queue.getJob(id);
      if (job?.failedReason) throw fromJobReason(kind, job.failedReason);
      if (job?.finishedOn !== undefined) return job.returnvalue;
      await sleep(wait);
    }
    const seconds = ANSWER_MS / 1000;
    const message = `the agent of ${host} has not answered for ${seconds} s; it will carry the order out once it runs`;
    throw fleetFailure(kind, message);
  }

  /** Cancels the steps of an operation that have not ended. */
  async cancel({ steps }: FleetOperationView): Promise<void> {
    const open = steps.filter(({ state }) => ['waiting', 'active', 'delayed'].includes(state));
    const hosts = new Map<string, string[]>();
    for (const { id, from, to } of open) {
      const host = from ?? to;
      hosts.set(host, [...(hosts.get(host) ?? []), id]);
    }
    await Promise.all(
      [...hosts].map(([host, mine]) => this.command(host, { kind: 'cancel', steps: mine })),
    );
  }

  #sign(
    { name, key }: Signer,
    order: { id: string; operation: string; host: string; action: Action },
  ): SignedOrder {
    const issuedAt = Date.now();
    const { fleet } = this.#context;
    const times = { issuedAt, expiresAt: issuedAt + ORDER_MS };
    return signOrder({ version: 1, fleet, operator: name, ...times, ...order }, key);
  }

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT without an operator */
  #signer(operation: string): Signer {
    const { operator } = this.#context;
    if (operator) return operator;
    const message = `${operation}: Fleet.connect() needs the option operator to give orders`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'operator' });
  }

  #operationOf(job: Job<OperationJob>): FleetOperation {
    return new FleetOperation(job, {
      queues: this.#operationQueues,
      events: () => this.#eventsOfOperations(),
      cancel: (view) => this.cancel(view),
    });
  }

  async #eventsOfOperations(): Promise<QueueEvents> {
    if (!this.#events) {
      const { redis, keys } = this.#context;
      this.#events = new QueueEvents(OPERATIONS, { connection: redis, prefix: keys.prefix });
      this.#events.on('error', () => {});
    }
    await this.#events.waitUntilReady();
    return this.#events;
  }

  get #operationQueues(): OperationQueues {
    return {
      operations: this.#queue(OPERATIONS) as Queue<OperationJob>,
      queueOf: ({ from, to }) => this.#queue(from === undefined ? ordersOf(to) : movesOf(from)),
    };
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name);
    if (known) return known;
    const { redis, keys } = this.#context;
    const queue = new Queue(name, { connection: redis, prefix: keys.prefix });
    queue.on('error', () => {});
    this.#queues.set(name, queue);
    return queue;
  }

  async #ask<T>(operation: string, asking: () => Promise<T>): Promise<T> {
    try {
      return await asking();
    } catch (error) {
      throw redisFailure(operation, error as Error, this.#context.redis);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flows.close().catch(() => {});
    await this.#events?.close().catch(() => {});
    for (const queue of this.#queues.values()) await queue.close().catch(() => {});
  }
}
