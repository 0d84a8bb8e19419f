import { CriuError, invalid, unknownOption } from '../errors.ts';
import type { OperationOptions } from '../options/types.ts';

const DEFAULT_GRACE_MS = 5000;
/** What a timer of Node's can hold. */
const MAX_MS = 0x7fffffff;

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

  constructor(operation: string, options: OperationOptions, outer?: Cancellation) {
    this.#operation = operation;
    const {
      signal,
      deadlineMs,
      gracePeriodMs = DEFAULT_GRACE_MS,
    } = checkLimits(operation, options);
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

/** Checks what every operation takes. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkLimits(operation: string, options: OperationOptions): OperationOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalid(operation, 'options', 'an object', options);
  }
  const { signal, deadlineMs, gracePeriodMs, ...rest } = options;
  for (const name of Object.keys(rest)) throw unknownOption(operation, name);
  if (signal !== undefined && !isSignal(signal)) {
    throw invalid(operation, 'signal', 'an AbortSignal', signal);
  }
  for (const [name, value] of Object.entries({ deadlineMs, gracePeriodMs })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= MAX_MS)) {
      throw invalid(operation, name, `milliseconds, an integer from 0 to ${MAX_MS}`, value);
    }
  }
  return options;
}

/** Not what only inherits from AbortSignal, and throws as soon as it is asked. */
function isSignal(value: unknown): boolean {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean';
  } catch {
    return false;
  }
}
