import { childrenOf } from '../procfs/tree.ts';

/** Why an operation is cancelled: the reason of its signal. */
export class Interrupted extends Error {
  readonly by: NodeJS.Signals;

  constructor(by: NodeJS.Signals) {
    super(`interrupted by ${by}`);
    this.by = by;
  }
}

/** What a Ctrl-C does. */
export interface Reaction {
  /** What is told then. */
  readonly tells: string;
  /** What is done then; else nothing is. */
  does?(by: NodeJS.Signals): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Ctrl-C, or SIGTERM. The first one cancels: CRIU is refused its next step and rolls back. The second
 * kills criu, and what it leaves is put right as far as that can be: see docs/reliability.md. The third
 * ends the command. A verb may react otherwise.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #told: (text: string) => void;
  #reactions: readonly Reaction[] = [
    {
      tells: 'cancelling; again to kill criu, which may end the processes as well',
      does: (by) => this.cancel(by),
    },
    { tells: 'killing criu; again to end at once', does: killChildren },
  ];
  #times = 0;

  /** @param told is given a line about what happens now */
  constructor(told: (text: string) => void) {
    this.#told = told;
    this.#listen();
  }

  /** Aborts when the work is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts the signal. */
  cancel(by: NodeJS.Signals): void {
    this.#controller.abort(new Interrupted(by));
  }

  /**
   * Reacts otherwise from now on: what has come so far does not count. What comes after the last of
   * the reactions ends the command.
   */
  react(reactions: readonly Reaction[]): void {
    this.#reactions = reactions;
    this.#times = 0;
    this.#listen();
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    const reaction = this.#reactions[this.#times++];
    if (reaction) this.#told(reaction.tells);
    reaction?.does?.(signal);
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
