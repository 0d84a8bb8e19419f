import { killTrees } from '../process/kill-tree.ts';
import { KnownProcesses } from '../procfs/known-processes.ts';
import { stateOf } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';

/**
 * The original of processes that may live on elsewhere: stopped, so that it does not run on when its
 * criu ends, however that comes about.
 */
export class StoppedTree {
  /** All its processes, the root first. */
  readonly pids: readonly number[];
  /** Those of them that were stopped by others, before. */
  readonly stoppedBefore: ReadonlySet<number>;
  /** Those of them that have not ended, whose pids are no others' yet. */
  readonly #known: KnownProcesses;

  /** Which processes are stopped already, before a dump. */
  static before(root: number): ReadonlySet<number> {
    return new Set(descendantsOf(root).filter((pid) => stateOf(pid) === 'stopped'));
  }

  /** Sends SIGSTOP to processes that CRIU has frozen; they get it when CRIU lets go of them. */
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

  /** Lets them run on, but for those that were stopped before. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Ends them, and what they have started. */
  kill(): void {
    killTrees(this.#known.pids);
  }

  /** Whether all of them have ended. */
  get hasEnded(): boolean {
    return this.#known.pids.every((pid) => stateOf(pid) === 'gone');
  }

  #signal(name: NodeJS.Signals): void {
    for (const pid of this.#known.pids) {
      if (this.stoppedBefore.has(pid)) continue;
      try {
        process.kill(pid, name);
      } catch {
        // It is gone.
      }
    }
  }
}
