import type { LazyPagesResult, LazyRestoreOptions } from '../../src/index.ts';
import { type ErrorFacts, LibraryProcess } from './library-process.ts';

/**
 * Another host, as far as pids go: a process with the library in a pid namespace of its own, where
 * the pids are free that a lazy source on this one still holds. Ended after the test, with all in it.
 */
export class LazyDestination {
  readonly #caller: LibraryProcess;
  /** The pid of the restored process in there. */
  pid = 0;

  static async start(): Promise<LazyDestination> {
    const through = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
    return new LazyDestination(await LibraryProcess.start(through));
  }

  private constructor(caller: LibraryProcess) {
    this.#caller = caller;
  }

  /** Restores lazily; resolves when the process runs. The daemon may be stopped before. */
  async restore(options: LazyRestoreOptions & { stopsDaemon?: boolean }): Promise<void> {
    this.pid = await this.#caller.ask<number>('lazyRestore', options);
  }

  /** The failure of such a restore. */
  async failure(options: LazyRestoreOptions): Promise<ErrorFacts> {
    return await this.#caller.failure('lazyRestore', options);
  }

  /** Resolves when every page is there. */
  async pagesDone(): Promise<LazyPagesResult> {
    return await this.#caller.ask<LazyPagesResult>('pagesDone');
  }

  /** Resolves when it is clear that some never will be. */
  async pagesFailed(): Promise<ErrorFacts> {
    return await this.#caller.failure('pagesDone');
  }

  /** Sends a signal to the restored process. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#caller.ask('kill', { pid: this.pid, signal });
  }

  /** The signal that has ended a process without a parent in there. */
  async endOf(pid: number): Promise<number> {
    return await this.#caller.ask<number>('endOf', { pid });
  }

  /** Sends a signal to its lazy-pages daemon. */
  async killDaemon(signal: NodeJS.Signals): Promise<void> {
    const pid = await this.#caller.ask<number>('daemon');
    await this.#caller.ask('kill', { pid, signal });
  }

  /** How many processes in there wait for their pages, as far as the library knows. */
  async heldFaults(): Promise<number> {
    return await this.#caller.ask<number>('heldFaults');
  }

  /** Whether the restored process is alive. */
  async isAlive(): Promise<boolean> {
    return await this.#caller.ask<boolean>('isAlive', { pid: this.pid });
  }

  /** Ends the whole host at once. */
  crash(): void {
    process.kill(this.#caller.pid, 'SIGKILL');
  }
}
