import type { Queue } from 'bullmq';
import type { WorkloadTable } from '../workload-table.ts';

/** The data of a job that says that a checkpoint is due. */
export interface CheckpointJob {
  /** The name of a workload of the host. There is nothing else in it, because nobody signs it. */
  readonly workload: string;
}

/** How many jobs that have failed are kept. */
const KEEP_FAILED = 50;

/** The job schedulers of the workloads of a host: one for each that has checkpoints on schedule. */
export class CheckpointSchedules {
  readonly #queue: Queue<CheckpointJob>;
  readonly #table: WorkloadTable;
  #known = '';

  constructor(queue: Queue<CheckpointJob>, table: WorkloadTable) {
    this.#queue = queue;
    this.#table = table;
  }

  /** Has schedulers for the workloads that are here, and for no others. Redis may have been emptied. */
  async sync(): Promise<void> {
    const wanted = new Map<string, number>();
    for (const { spec, state } of this.#table.all) {
      if (spec.checkpoint && state !== 'arriving') wanted.set(spec.name, spec.checkpoint.every);
    }
    const text = JSON.stringify([...wanted]);
    const count = await this.#queue.getJobSchedulersCount();
    if (text === this.#known && count === wanted.size) return;
    const there = new Map<string, number | undefined>();
    for (const { key, every } of await this.#queue.getJobSchedulers()) {
      there.set(key, every === undefined ? undefined : Number(every));
      if (!wanted.has(key)) await this.#queue.removeJobScheduler(key);
    }
    for (const [workload, every] of wanted) {
      if (there.get(workload) === every) continue;
      await this.#queue.upsertJobScheduler(
        workload,
        { every },
        {
          ...{ name: 'checkpoint', data: { workload } },
          opts: { removeOnComplete: true, removeOnFail: { count: KEEP_FAILED } },
        },
      );
    }
    this.#known = text;
  }
}
