import { isatty } from 'node:tty';
import type { RestoredProcess } from '../index.ts';
import { readStatSync } from '../procfs/stat.ts';

/**
 * Lets a shell treat this command and its child as one job, although the child is in a process group of
 * its own. The command stops when the child stops, as by Ctrl-Z, and stops the child when it is told to
 * stop. At `fg` or `bg` both continue.
 */
export class JobControl implements Disposable {
  readonly #child: RestoredProcess;
  /** True from the stop of this command until its SIGCONT has been handled. */
  #isSuspended = false;

  constructor(child: RestoredProcess) {
    this.#child = child;
    process.on('SIGCHLD', this.#onChild).on('SIGCONT', this.#onContinue);
    process.on('SIGTSTP', this.#onStop);
    this.#followChild();
  }

  [Symbol.dispose](): void {
    process.off('SIGCHLD', this.#onChild).off('SIGCONT', this.#onContinue);
    process.off('SIGTSTP', this.#onStop);
  }

  // The SIGCONT that may have come with it continues the child first.
  readonly #onChild = () => void setImmediate(() => this.#followChild());

  #followChild(): void {
    // Another thread may still handle the SIGCONT, which a new SIGTSTP would discard.
    if (this.#isSuspended) return;
    if (readStatSync(this.#child.pid)?.state === 'T') this.#suspend();
  }

  /** SIGTSTP would have no effect on a child that leads a session. */
  readonly #onStop = () => {
    const child = readStatSync(this.#child.pid);
    if (child) process.kill(-child.group, 'SIGSTOP');
    this.#suspend();
  };

  /**
   * Stops the whole process group, because a shell waits for every process of a pipeline. The kernel
   * ignores SIGTSTP in a group that no shell could continue.
   */
  #suspend(): void {
    this.#isSuspended = true;
    process.off('SIGTSTP', this.#onStop);
    process.kill(0, 'SIGTSTP');
    process.on('SIGTSTP', this.#onStop);
  }

  readonly #onContinue = () => {
    this.#isSuspended = false;
    const self = readStatSync('self');
    const child = readStatSync(this.#child.pid);
    if (!self || !child) return;
    // After `fg`, but not after `bg`, the shell has given the terminal to the group of this command.
    const hasTerminal = isatty(0) && self.foreground === self.group;
    if (hasTerminal && child.session === self.session) this.#child.giveTerminal();
    process.kill(-child.group, 'SIGCONT');
  };
}
