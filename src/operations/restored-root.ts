import { setTimeout as sleep } from 'node:timers/promises';
import { halfRestoredAmong, isEnding, mayBeHalfRestored } from '../cleanup/half-restored.ts';
import { type ExitWatch, exitWithin, openPidfd, watchExit } from '../process/exit.ts';
import { endAllFound, KILL_TIMEOUT_MS } from '../process/kill-tree.ts';
import { awaitReaped } from '../process/reaping.ts';
import { isDead } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';

const POLL_MS = 5;

/** The root processes that the restores in progress have created. */
const held = new Set<number>();

/** Tracks the root process of a tree that is being restored. */
export class RestoredRoot implements Disposable {
  pid: number | undefined;
  pidfd: number | undefined;
  /** True once CRIU may have created processes. */
  begun = false;
  /** True once the processes no longer need CRIU: they run as soon as it detaches from them. */
  complete = false;
  /** The pids of the tree that were free before the restore. */
  #tree: readonly number[] = [];
  /** The pid of the root, if it was free before the restore. */
  #expected: number | undefined;
  #watch: ExitWatch | undefined;

  /**
   * Called before CRIU creates the processes. Pids that are in use now belong to other processes.
   * @param pids the pids of the tree, the root first
   */
  expect(pids: readonly number[]): void {
    this.#tree = pids.filter((pid) => !statusOf(pid));
    this.#expected = this.#tree.find((pid) => pid === pids[0]);
  }

  /** Called for each notification of CRIU. */
  reached(script: string, pid: number | undefined): void {
    if (this.pid === undefined && pid !== undefined) {
      // The process cannot run yet, so its pid cannot have been reused.
      this.pid = pid;
      this.pidfd = openPidfd(pid);
      if (this.pidfd !== undefined) held.add(pid);
    }
    if (script === 'pre-resume') this.complete = true;
  }

  /**
   * Finds, once criu has ended, a root process that criu created without notifying us of it. If criu
   * rolled back, the process is dead or about to die, and only has to be reaped if it is our child.
   * @param program the file that criu executed
   */
  async search(replied: boolean, asChild: boolean, program: string | undefined): Promise<void> {
    const pid = this.#expected;
    if (this.pid !== undefined || pid === undefined || !this.begun) return;
    if (!replied) {
      if (halfRestoredAmong([pid], false, program).length > 0) this.reached('', pid);
      if (!asChild) return;
    }
    for (let waited = 0; asChild && waited < KILL_TIMEOUT_MS; waited += POLL_MS) {
      const status = statusOf(pid);
      // Another restore of this library may have created the process.
      if (!status || status.parent !== process.pid || held.has(pid)) return;
      if (isDead(status)) {
        this.reached('', pid);
        return;
      }
      if (!mayBeHalfRestored(pid, program)) return;
      await sleep(POLL_MS);
    }
  }

  /** Kills the half-restored processes, which would wait for criu forever after it has ended. */
  async killUnfinished(replied: boolean, program: string | undefined): Promise<void> {
    if (this.complete || !this.begun) return;
    // If CRIU replied, it has killed the root itself.
    const root = replied ? undefined : this.pid;
    await endAllFound(() => {
      const halfRestored = halfRestoredAmong(this.#tree, root !== undefined, program);
      const others = halfRestored.filter((pid) => pid !== root && !held.has(pid));
      return root === undefined ? others : [root, ...others];
    });
  }

  /**
   * True if {@link search} or the session scan would have found what CRIU created: by its pid, or as
   * a member of criu's session, where processes of a pid namespace are until CRIU reports them.
   */
  isFindable(session: number | undefined): boolean {
    return this.#expected !== undefined || session !== undefined;
  }

  /** Resolves when the killed root is gone; at once if the restore was complete. */
  async died(): Promise<void> {
    if (this.complete) return;
    const watch = this.leave();
    if (watch) await exitWithin(KILL_TIMEOUT_MS, watch);
  }

  /** Resolves when the pids of a failed restore are free, and reaps the processes that fell to us. */
  async reaped(program: string | undefined): Promise<void> {
    if (this.complete || !this.begun || this.#expected === undefined) return;
    await awaitReaped(this.#tree, {
      isInUse: (pid) => isEnding(pid, program),
      isOrphan: (pid) => pid === this.pid || !held.has(pid),
    });
  }

  /** Stops tracking the root, but reaps it if it is a child of this process. */
  leave(): ExitWatch | undefined {
    if (this.pidfd !== undefined) this.#watch ??= watchExit(this.pidfd);
    return this.#watch;
  }

  /** Called when the restore is over. */
  [Symbol.dispose](): void {
    if (this.pidfd !== undefined && this.pid !== undefined) held.delete(this.pid);
  }
}
