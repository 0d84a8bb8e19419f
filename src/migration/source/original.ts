import { StoppedTree } from '../../postcopy/stopped-tree.ts';
import { tracerOf } from '../../procfs/tracer.ts';
import { isOwnCriu } from '../../worker/child.ts';
import { failure } from './failures.ts';

/** Stops, resumes and ends the process tree that migrates. */
export class Original {
  readonly pid: number;
  #stoppedBefore: ReadonlySet<number> = new Set();
  #stopped: StoppedTree | undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** True once {@link Original.stop} was called: the tree stays stopped when criu releases it. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** The pids of the stopped tree; empty before {@link Original.stop}. */
  get pids(): readonly number[] {
    return this.#stopped?.pids ?? [];
  }

  /** Remembers the processes that are stopped already: resume() leaves them stopped. */
  rememberStopped(): readonly number[] {
    this.#stoppedBefore = StoppedTree.stoppedIn(this.pid);
    return [...this.#stoppedBefore];
  }

  /**
   * Stops the tree that criu holds frozen, so that it does not run whatever happens to criu.
   * @throws CriuError if criu does not hold a process any more: that process may have run since
   */
  async stop(): Promise<void> {
    this.#stopped = StoppedTree.stop(this.pid, this.#stoppedBefore);
    for (const pid of this.#stopped.pids) {
      const tracer = await tracerOf(pid);
      if (tracer && !(tracer.by === 'tracer' && isOwnCriu(tracer.pid))) {
        throw failure(`criu does not hold process ${pid} of the original any more`);
      }
    }
  }

  /** Lets the tree run if it was stopped by {@link Original.stop}. */
  resume(): void {
    this.#stopped?.resume();
  }

  /** Kills the tree if it was stopped by {@link Original.stop}. */
  kill(): void {
    this.#stopped?.kill();
  }
}
