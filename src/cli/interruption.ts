import { childrenOf } from '../procfs/tree.ts';

/** The reason with which {@link Interruption.signal} aborts. */
export class Interrupted extends Error {
  readonly by: NodeJS.Signals;

  constructor(by: NodeJS.Signals) {
    super(`interrupted by ${by}`);
    this.by = by;
  }
}

/** The reaction to one Ctrl-C. */
export interface Reaction {
  /** Printed on standard error. */
  readonly message: string;
  action?(by: NodeJS.Signals): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Handles Ctrl-C and SIGTERM. The first one cancels: CRIU rolls back at its next step. The second kills
 * criu, after which the library cleans up as far as possible, see docs/reliability.md. The third ends
 * the command. A verb can set other reactions.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #onMessage: (text: string) => void;
  #reactions: readonly Reaction[] = [
    {
      message: 'cancelling; press Ctrl-C again to kill criu, which can end the processes too',
      action: (by) => this.cancel(by),
    },
    { message: 'killing criu; press Ctrl-C again to exit at once', action: killChildren },
  ];
  #times = 0;

  /** @param onMessage called with the message of each reaction */
  constructor(onMessage: (text: string) => void) {
    this.#onMessage = onMessage;
    this.#listen();
  }

  /** Aborts when the verb must stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts {@link signal}. */
  cancel(by: NodeJS.Signals): void {
    this.#controller.abort(new Interrupted(by));
  }

  /**
   * Replaces the reactions; signals that came before do not count. A signal after the last reaction
   * ends the command.
   */
  react(reactions: readonly Reaction[]): void {
    this.#reactions = reactions;
    this.#times = 0;
    this.#listen();
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    const reaction = this.#reactions[this.#times++];
    if (reaction) this.#onMessage(reaction.message);
    reaction?.action?.(signal);
    if (this.#times === this.#reactions.length) this[Symbol.dispose]();
  };

  #listen(): void {
    this[Symbol.dispose]();
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}

/** Kills the child processes of this process. */
function killChildren(): void {
  for (const pid of childrenOf(process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The child has ended.
    }
  }
}
