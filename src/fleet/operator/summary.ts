import type { Job } from 'bullmq';
import { fromJobReason, isCancelled } from '../failure.ts';
import type { FleetOperationView, FleetStep } from '../operation-view.ts';

/** What the job of an operation has: what everybody may see, which nobody acts on. */
export type OperationJob = Pick<
  FleetOperationView,
  'kind' | 'target' | 'operator' | 'orderedAt' | 'unplaced'
> & {
  readonly steps: readonly Pick<FleetStep, 'id' | 'workload' | 'from' | 'to' | 'memoryBytes'>[];
};

/** The result of a step. */
interface StepResult {
  readonly bytes?: number;
  readonly downtimeMs?: number;
}

/** The result of an operation: what has become of its steps. Processes the job of the operation, after those of the steps. */
export async function summarize(job: Job<OperationJob>): Promise<FleetOperationView> {
  const [values, failures] = await Promise.all([
    job.getChildrenValues<StepResult>(),
    job.getIgnoredChildrenFailures(),
  ]);
  const { steps, ...shown } = job.data;
  const ended = steps.map((step): FleetStep => {
    const result = ofStep(values, step.id);
    const reason = ofStep(failures, step.id);
    return {
      ...step,
      state: result ? 'done' : isCancelled(reason) ? 'cancelled' : 'failed',
      phase: undefined,
      bytes: result?.bytes ?? 0,
      attempts: 0,
      startedAt: undefined,
      endedAt: undefined,
      downtimeMs: result?.downtimeMs,
      message: reason === undefined ? undefined : fromJobReason('step', reason).message,
    };
  });
  const states = new Set(ended.map(({ state }) => state));
  const state = states.has('failed') ? 'failed' : states.has('cancelled') ? 'cancelled' : 'done';
  return { ...shown, id: job.id ?? '', state, endedAt: Date.now(), steps: ended };
}

/** The entry of a step in a record whose names are keys of jobs, which end with the ids. */
function ofStep<T>(record: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.entries(record).find(([key]) => key.endsWith(`:${id}`))?.[1];
}
