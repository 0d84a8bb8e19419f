import { childrenOf } from '../process/tree.ts';

/** Why an operation is cancelled: the reason of its signal. */
export class Interrupted extends Error {
  readonly by: NodeJS.Signals;

  constructor(by: NodeJS.Signals) {
    super(`interrupted by ${by}`);
    this.by = by;
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Ctrl-C, or SIGTERM. The first one cancels: CRIU is refused its next step and rolls back. The second
 * kills criu, and what it leaves is put right as far as that can be: see docs/reliability.md. The third ends the command.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #told: (text: string) => void;
  #times = 0;

  /** @param told is given a line about what happens now */
  constructor(told: (text: string) => void) {
    this.#told = told;
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Aborts at the first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.#times++;
    if (this.#times === 1) {
      this.#told('cancelling; again to kill criu, which may end the processes as well');
      this.#controller.abort(new Interrupted(signal));
    } else {
      this.#told('killing criu; again to end at once');
      killChildren();
      this[Symbol.dispose]();
    }
  };

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}

/** Kills what this process has started and not yet waited for. */
function killChildren(): void {
  for (const pid of childrenOf(process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
