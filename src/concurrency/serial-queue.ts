/** Runs tasks one after the other, in the order in which they were added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Adds a task.
   * @returns the task's own result or error; an error does not keep the next task from running
   */
  async run<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return await result;
  }

  /** Resolves when all tasks that have been added by now are done. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
