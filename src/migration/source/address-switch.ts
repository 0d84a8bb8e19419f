import { atMost, unlessAborted } from '../../concurrency/deadline.ts';
import type { MigrateOptions } from './migrate-options.ts';

/** Calls the caller's `switchOver` and, after a failure, `switchBack`. */
export class AddressSwitch {
  readonly #functions: Pick<MigrateOptions, 'switchOver' | 'switchBack'>;
  readonly #signal: AbortSignal;
  #switchingOver: Promise<void> | undefined;

  /** @param signal tells `switchOver` that the migration has failed meanwhile */
  constructor(functions: Pick<MigrateOptions, 'switchOver' | 'switchBack'>, signal: AbortSignal) {
    this.#functions = functions;
    this.#signal = signal;
  }

  async switchOver(): Promise<void> {
    const { switchOver } = this.#functions;
    this.#switchingOver = Promise.resolve().then(() => switchOver?.(this.#signal));
    await unlessAborted(this.#signal, this.#switchingOver);
  }

  /**
   * Calls `switchBack` if `switchOver` was called, once that has ended.
   * @param timeoutMs limits the wait for each of the two
   * @returns what `switchBack` threw
   */
  async switchBack(timeoutMs: number): Promise<Error | undefined> {
    if (!this.#switchingOver) return undefined;
    await atMost(timeoutMs, this.#switchingOver).catch(() => {});
    const { switchBack } = this.#functions;
    return await atMost(
      timeoutMs,
      Promise.resolve().then(() => switchBack?.()),
    ).then(
      () => undefined,
      (cause: Error) => cause,
    );
  }
}
