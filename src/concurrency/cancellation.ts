import { CriuError } from '../errors.ts';
import { deferred } from './deferred.ts';

const DEFAULT_GRACE_MS = 5000;

/** What can cancel an operation. The values are valid: options are checked before. */
export interface Limits {
  readonly signal?: AbortSignal | undefined;
  readonly deadlineMs?: number | undefined;
  readonly gracePeriodMs?: number | undefined;
}

/**
 * Why an operation is cancelled: its signal or its deadline, whichever comes first. It only records
 * and announces the reason; the operation decides what to do about it.
 */
export class Cancellation implements Disposable {
  /** How long criu may take to roll back before it is killed, in milliseconds. */
  readonly graceMs: number;
  /** The error with which the operation fails, once it is cancelled. */
  reason: CriuError | undefined;
  readonly #operation: string;
  readonly #requested = deferred<void>();
  readonly #cleanUp: () => void;

  /** @param outer the cancellation of an operation that this one is a part of */
  constructor(operation: string, options: Limits, outer?: Cancellation) {
    this.#operation = operation;
    const { signal, deadlineMs, gracePeriodMs = DEFAULT_GRACE_MS } = options;
    this.graceMs = gracePeriodMs;
    const onAbort = () => {
      const details = { operation, cause: signal?.reason };
      this.#cancel(new CriuError('ERR_CRIU_ABORTED', `${operation} was aborted`, details));
    };
    const onDeadline = () => {
      const message = `${operation} was not done within ${deadlineMs} ms`;
      this.#cancel(new CriuError('ERR_CRIU_TIMEOUT', message, { operation }));
    };
    const timer = deadlineMs === undefined ? undefined : setTimeout(onDeadline, deadlineMs);
    outer?.requested.then(() => this.#cancel(outer.reason as CriuError));
    if (outer?.reason) this.#cancel(outer.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#cleanUp = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #cancel(error: CriuError): void {
    this.reason ??= error;
    this.#requested.resolve();
  }

  /** Resolves once the operation is cancelled; stays pending otherwise. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  /** Throws the reason if the operation is cancelled already. */
  throwIfRequested(): void {
    if (this.reason) throw this.reason;
  }

  /** The cancellation as a signal, for an operation that is a part of this one. */
  get signal(): AbortSignal {
    const controller = new AbortController();
    this.requested.then(() => controller.abort(this.reason));
    return controller.signal;
  }

  /** A cancellation for a part of the operation, with a deadline of its own. */
  within(deadlineMs: number): Cancellation {
    return new Cancellation(this.#operation, { deadlineMs, gracePeriodMs: this.graceMs }, this);
  }

  /** Stops following the signal and the deadline. */
  [Symbol.dispose](): void {
    this.#cleanUp();
  }
}
