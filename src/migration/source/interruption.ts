import type { Cancellation } from '../../concurrency/cancellation.ts';
import type { CriuError } from '../../errors.ts';

/**
 * What can end a migration early: the caller, the deadline, or a failure outside the current step.
 * After the commit nothing ends it: the copy may run, and its work would be lost.
 */
export class Interruption {
  readonly #cancellation: Cancellation;
  readonly #controller = new AbortController();
  #isCommitted = false;

  constructor(cancellation: Cancellation) {
    this.#cancellation = cancellation;
    cancellation.requested.then(() => this.abort(cancellation.reason));
  }

  /** Aborted when the migration is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Why the caller or the deadline cancelled the migration before the commit. */
  get cancelledBy(): CriuError | undefined {
    return this.#isCommitted ? undefined : this.#cancellation.reason;
  }

  /** Ends the migration. Only the first reason counts; after the commit it has no effect. */
  abort(reason: unknown): void {
    if (!this.#isCommitted) this.#controller.abort(reason);
  }

  throwIfAborted(): void {
    this.#cancellation.throwIfRequested();
    this.signal.throwIfAborted();
  }

  /** @throws the reason if the migration was aborted before */
  commit(): void {
    this.throwIfAborted();
    this.#isCommitted = true;
  }
}
