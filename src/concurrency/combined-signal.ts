/**
 * A signal that is aborted as soon as one of several is. Not by AbortSignal.any: in Node 20 one of
 * AbortSignal.timeout that nobody else refers to may be collected before it aborts.
 */
export class CombinedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #over = new AbortController();

  constructor(signals: readonly (AbortSignal | undefined)[]) {
    for (const signal of signals) {
      const follow = () => this.#controller.abort(signal?.reason);
      if (signal?.aborted) follow();
      else signal?.addEventListener('abort', follow, { signal: this.#over.signal });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Follows no longer. */
  [Symbol.dispose](): void {
    this.#over.abort();
  }
}
