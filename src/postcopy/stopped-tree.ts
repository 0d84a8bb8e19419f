import { killTrees } from '../process/kill-tree.ts';
import { KnownProcesses } from '../procfs/known-processes.ts';
import { stateOf } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';

/**
 * The original of a process tree whose copy may run elsewhere. SIGSTOP stops its processes, so that they
 * do not run on, however criu ends.
 */
export class StoppedTree {
  /** The pids of all processes, the root first. */
  readonly pids: readonly number[];
  /** The processes that were stopped already before the dump. */
  readonly stoppedBefore: ReadonlySet<number>;
  /** The processes that have not ended, without pids that were reused. */
  readonly #known: KnownProcesses;

  /** Finds the processes that are stopped already. Call it before a dump. */
  static stoppedIn(root: number): ReadonlySet<number> {
    return new Set(descendantsOf(root).filter((pid) => stateOf(pid) === 'stopped'));
  }

  /** Sends SIGSTOP to processes that CRIU has frozen. They get the signal when CRIU thaws them. */
  static stop(root: number, stoppedBefore: ReadonlySet<number>): StoppedTree {
    const tree = new StoppedTree(descendantsOf(root), stoppedBefore);
    tree.#signal('SIGSTOP');
    return tree;
  }

  constructor(pids: readonly number[], stoppedBefore: ReadonlySet<number>) {
    this.pids = pids;
    this.#known = new KnownProcesses(pids);
    this.stoppedBefore = stoppedBefore;
  }

  /** Continues the processes that were not stopped before. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Kills the processes and their descendants. */
  kill(): void {
    killTrees(this.#known.pids);
  }

  /** True if all processes have ended. */
  get hasEnded(): boolean {
    return this.#known.pids.every((pid) => stateOf(pid) === 'gone');
  }

  #signal(name: NodeJS.Signals): void {
    for (const pid of this.#known.pids) {
      if (this.stoppedBefore.has(pid)) continue;
      try {
        process.kill(pid, name);
      } catch {
        // The process has ended.
      }
    }
  }
}
