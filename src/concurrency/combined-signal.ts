/**
 * A signal that is aborted as soon as one of several signals is, with its reason. AbortSignal.any does
 * not serve: on Node 20 a signal of AbortSignal.timeout that nothing else refers to may be collected
 * before it aborts.
 */
export class CombinedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #disposed = new AbortController();

  constructor(signals: readonly (AbortSignal | undefined)[]) {
    for (const signal of signals) {
      const follow = () => this.#controller.abort(signal?.reason);
      if (signal?.aborted) follow();
      else signal?.addEventListener('abort', follow, { signal: this.#disposed.signal });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops following the signals. */
  [Symbol.dispose](): void {
    this.#disposed.abort();
  }
}
