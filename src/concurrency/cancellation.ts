import { CriuError } from '../errors.ts';

const DEFAULT_GRACE_MS = 5000;

/** What can cancel an operation, checked already. */
export interface Limits {
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number | undefined;
  readonly gracePeriodMs?: number | undefined;
}

/**
 * The one reason for which an operation is cancelled, from a signal or a deadline, whichever comes
 * first. It is recorded once; what follows from it is for others to do.
 */
export class Cancellation implements Disposable {
  readonly graceMs: number;
  /** Why, once it is so. */
  reason: CriuError | undefined;
  /** Resolves when it is so, and never otherwise. */
  readonly requested: Promise<void>;
  readonly #operation: string;
  readonly #cleanUp: () => void;

  constructor(operation: string, options: Limits, outer?: Cancellation) {
    this.#operation = operation;
    const { signal, deadlineMs, gracePeriodMs = DEFAULT_GRACE_MS } = options;
    this.graceMs = gracePeriodMs;
    let announce: () => void;
    this.requested = new Promise((resolve) => {
      announce = resolve;
    });
    const cancel = (error: CriuError) => {
      this.reason ??= error;
      announce();
    };
    const onAbort = () => {
      cancel(
        new CriuError('ERR_CRIU_ABORTED', `${operation} was aborted`, {
          operation,
          cause: signal?.reason,
        }),
      );
    };
    const timer =
      deadlineMs === undefined
        ? undefined
        : setTimeout(() => {
            const message = `${operation} was not done within ${deadlineMs} ms`;
            cancel(new CriuError('ERR_CRIU_TIMEOUT', message, { operation }));
          }, deadlineMs);
    outer?.requested.then(() => cancel(outer.reason as CriuError));
    if (outer?.reason) cancel(outer.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#cleanUp = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  /** Throws the reason if there is one already: nothing has to be started then. */
  throwIfRequested(): void {
    if (this.reason) throw this.reason;
  }

  /** The same as a signal, for an operation that is a part of this one. */
  get signal(): AbortSignal {
    const controller = new AbortController();
    this.requested.then(() => controller.abort(this.reason));
    return controller.signal;
  }

  /** The same for a part of the operation, which may take only so many milliseconds. */
  within(deadlineMs: number): Cancellation {
    return new Cancellation(this.#operation, { deadlineMs, gracePeriodMs: this.graceMs }, this);
  }

  [Symbol.dispose](): void {
    this.#cleanUp();
  }
}
