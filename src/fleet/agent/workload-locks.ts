import { SerialQueue } from '../../concurrency/serial-queue.ts';

/** Keeps a workload from being moved and dumped at once: whatever freezes or ends one is done under its lock. */
export class WorkloadLocks {
  readonly #queues = new Map<string, { readonly queue: SerialQueue; users: number }>();

  /** Runs a task once no other one has the workload. */
  async run<T>(workload: string, task: () => Promise<T>): Promise<T> {
    const lock = this.#queues.get(workload) ?? { queue: new SerialQueue(), users: 0 };
    this.#queues.set(workload, lock);
    lock.users += 1;
    try {
      return await lock.queue.run(task);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.#queues.delete(workload);
    }
  }

  /** True while a task has the workload, or waits for it. */
  isTaken(workload: string): boolean {
    return this.#queues.has(workload);
  }
}
