import type { DashboardSource } from './source.ts';

/** What a fleet tells of its changes. A fleet that does not, or stops to, may have changed at any time. */
export class Changes {
  #mayHaveChanged = true;
  #tells = false;
  #notify = () => {};

  /** @param signal ends it */
  constructor(source: DashboardSource, signal: AbortSignal) {
    if (source.changes) void this.#follow(source.changes(signal));
  }

  /** Forgets what has changed so far. */
  forget(): void {
    this.#mayHaveChanged = !this.#tells;
  }

  /** Waits for a change since the last call of {@link forget}, or for this long. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#mayHaveChanged || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#notify = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', this.#notify);
        resolve();
      };
      signal.addEventListener('abort', this.#notify, { once: true });
    });
  }

  async #follow(changes: AsyncIterable<unknown>): Promise<void> {
    this.#tells = true;
    try {
      for await (const _ of changes) this.#note();
    } catch {
      // The fleet is asked at intervals instead, and the page tells what is wrong with it then.
    }
    this.#tells = false;
    this.#note();
  }

  #note(): void {
    this.#mayHaveChanged = true;
    this.#notify();
  }
}
