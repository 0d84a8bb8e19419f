import type { LazyPagesResult, LazyRestoreOptions } from '../../src/index.ts';
import { type ErrorFacts, LibraryProcess } from './library-process.ts';

/**
 * Stands in for another host: a process with the library in a pid namespace of its own, where the pids
 * are free that a lazy source still holds here. It is ended after the test with all of its processes.
 */
export class LazyDestination {
  readonly #caller: LibraryProcess;
  /** The pid of the restored process there. */
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

  /** Restores lazily; resolves with the error. */
  async failure(options: LazyRestoreOptions): Promise<ErrorFacts> {
    return await this.#caller.failure('lazyRestore', options);
  }

  /** Resolves when every page has arrived. */
  async pagesDone(): Promise<LazyPagesResult> {
    return await this.#caller.ask<LazyPagesResult>('pagesDone');
  }

  /** Resolves with the failure if some pages will never arrive. */
  async pagesFailed(): Promise<ErrorFacts> {
    return await this.#caller.failure('pagesDone');
  }

  /** Sends a signal to the restored process. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#caller.ask('kill', { pid: this.pid, signal });
  }

  /** The signal that ended an orphaned process there. */
  async endOf(pid: number): Promise<number> {
    return await this.#caller.ask<number>('endOf', { pid });
  }

  /** Sends a signal to its lazy-pages daemon. */
  async killDaemon(signal: NodeJS.Signals): Promise<void> {
    const pid = await this.#caller.ask<number>('daemon');
    await this.#caller.ask('kill', { pid, signal });
  }

  /** Lets its stopped lazy-pages daemon run for about a millisecond. */
  async stepDaemon(): Promise<void> {
    await this.#caller.ask('stepDaemon');
  }

  /** Gives the library there the time to look for children, which it does fifty times a second. */
  async looksAround(): Promise<void> {
    await this.#caller.ask('looksAround');
  }

  /** How many userfaultfds the library keeps open there: one per process that waits for pages. */
  async openUffds(): Promise<number> {
    return await this.#caller.ask<number>('openUffds');
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
