import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue, QueueEvents } from 'bullmq';
import { CriuError } from '../../errors.ts';
import type { MoveProgress } from '../agent/mover.ts';
import { fleetFailure, fromJobReason, isCancelled } from '../failure.ts';
import type { FleetOperationState, FleetOperationView, FleetStep } from '../operation-view.ts';
import type { OperationJob } from './summary.ts';

/** The states of a job, as an operation has them. */
const STATES: Readonly<Record<string, FleetOperationState>> = {
  active: 'active',
  completed: 'done',
  delayed: 'delayed',
  failed: 'failed',
};

/** Where the jobs of operations and steps are. */
export interface OperationQueues {
  readonly operations: Queue<OperationJob>;
  /** The queue of a step. */
  queueOf(step: OperationJob['steps'][number], kind: OperationJob['kind']): Queue;
}

/** How an operation stands. */
export async function viewOperation(
  job: Job<OperationJob>,
  queues: OperationQueues,
): Promise<FleetOperationView> {
  if (job.returnvalue) return job.returnvalue as FleetOperationView;
  const { steps, ...shown } = job.data;
  const viewed = await Promise.all(
    steps.map((step) => viewStep(step, queues.queueOf(step, shown.kind))),
  );
  const states = new Set(viewed.map(({ state }) => state));
  const isOn = ['active', 'delayed', 'done', 'failed', 'cancelled'].some((state) =>
    states.has(state as FleetOperationState),
  );
  return {
    ...{ ...shown, id: job.id ?? '' },
    state: isOn ? 'active' : 'waiting',
    endedAt: undefined,
    steps: viewed,
  };
}

async function viewStep(step: OperationJob['steps'][number], queue: Queue): Promise<FleetStep> {
  const job = await queue.getJob(step.id);
  const known = job ? await job.getState() : 'unknown';
  const { phase, bytes = 0 } = (job?.progress ?? {}) as Partial<MoveProgress>;
  const { downtimeMs } = (job?.returnvalue ?? {}) as { downtimeMs?: number };
  const reason = job?.failedReason;
  const state = STATES[known] ?? 'waiting';
  return {
    ...step,
    state: state === 'failed' && isCancelled(reason) ? 'cancelled' : state,
    ...{ phase, bytes, downtimeMs },
    attempts: job?.attemptsStarted ?? 0,
    startedAt: job?.processedOn,
    endedAt: job?.finishedOn,
    message: reason === undefined ? undefined : fromJobReason('step', reason).message,
  };
}

/** What an operation needs of its fleet. */
export interface OperationContext {
  readonly queues: OperationQueues;
  events(): Promise<QueueEvents>;
  cancel(operation: FleetOperationView): Promise<void>;
}

/** How often an operation that is iterated over is looked at, in milliseconds. */
const LOOK_MS = 500;

/** An operation that an operator has ordered. It goes on without this process. */
export class FleetOperation {
  /** Its id, by which `fleet.operation()` finds it again. */
  readonly id: string;
  readonly #job: Job<OperationJob>;
  readonly #context: OperationContext;

  /** @internal */
  constructor(job: Job<OperationJob>, context: OperationContext) {
    this.id = job.id ?? '';
    this.#job = job;
    this.#context = context;
  }

  /** How it stands. @throws CriuError ERR_CRIU_FLEET */
  async view(): Promise<FleetOperationView> {
    const { queues } = this.#context;
    const job = (await queues.operations.getJob(this.id)) as Job<OperationJob> | undefined;
    if (!job) throw fleetFailure('view', `Redis no longer has the operation ${this.id}`);
    return await viewOperation(job, queues);
  }

  /**
   * Waits for its end. Resolves with what has become of each step, also if some have failed.
   * @throws CriuError ERR_CRIU_FLEET if Redis no longer has it
   */
  async ended(): Promise<FleetOperationView> {
    try {
      return (await this.#job.waitUntilFinished(
        await this.#context.events(),
      )) as FleetOperationView;
    } catch (error) {
      if (error instanceof CriuError) throw error;
      throw fleetFailure('ended', (error as Error).message, { cause: error });
    }
  }

  /**
   * Waits for its end.
   * @throws CriuError the error of the first step that has failed or was cancelled
   */
  async result(): Promise<FleetOperationView> {
    const view = await this.ended();
    const step = view.steps.find(({ state }) => state !== 'done');
    if (!step) return view;
    const message = `${step.workload}: ${step.message ?? step.state}`;
    throw fleetFailure(view.kind, message);
  }

  /** Cancels the steps that have not switched over; they stay on their hosts. Resolves once the hosts have been told. */
  async cancel(): Promise<void> {
    await this.#context.cancel(await this.view());
  }

  /** Each state that is different from the one before, until it has ended. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FleetOperationView, void, undefined> {
    let last = '';
    for (;;) {
      const view = await this.view();
      const text = JSON.stringify(view);
      if (text !== last) yield view;
      if (view.endedAt !== undefined) return;
      last = text;
      await sleep(LOOK_MS);
    }
  }
}
