import { setTimeout as sleep } from 'node:timers/promises';
import { halfRestoredAmong, mayBeHalfRestored } from '../cleanup/half-restored.ts';
import { type ExitWatch, exitWithin, openPidfd, watchExit } from '../process/exit.ts';
import { endTrees, KILL_TIMEOUT_MS } from '../process/kill-tree.ts';
import { isDead } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';

const POLL_MS = 5;

/** The root processes that restores under way have made. */
const held = new Set<number>();

/** The root process of a tree that is being restored, as far as the restore has come. */
export class RestoredRoot implements Disposable {
  pid: number | undefined;
  pidfd: number | undefined;
  /** CRIU may have begun to make processes. */
  begun = false;
  /** The processes need CRIU no more: they run, or do so once it lets go of them. */
  complete = false;
  /** The pids that were free before, of the tree and of its root. */
  #tree: readonly number[] = [];
  #expected: number | undefined;
  #watch: ExitWatch | undefined;

  /** The restore of these pids, the root's first, is about to begin: those in use are others'. */
  expect(pids: readonly number[]): void {
    this.#tree = pids.filter((pid) => !statusOf(pid));
    this.#expected = this.#tree.find((pid) => pid === pids[0]);
  }

  /** The restore has come to a step of which CRIU tells. */
  reached(script: string, pid: number | undefined): void {
    if (this.pid === undefined && pid !== undefined) {
      // Now that it cannot run yet, so that its pid cannot have become another's.
      this.pid = pid;
      this.pidfd = openPidfd(pid);
      if (this.pidfd !== undefined) held.add(pid);
    }
    if (script === 'pre-resume') this.complete = true;
  }

  /**
   * Once criu has ended: finds a process that it made, and did not come so far as to tell of. If
   * it rolled back the process is dead, or about to be, and is our duty only if it is our child.
   */
  async search(replied: boolean, asChild: boolean): Promise<void> {
    const pid = this.#expected;
    if (this.pid !== undefined || pid === undefined || !this.begun) return;
    if (!replied) {
      if (halfRestoredAmong([pid], false).length > 0) this.reached('', pid);
      if (!asChild) return;
    }
    for (let waited = 0; asChild && waited < KILL_TIMEOUT_MS; waited += POLL_MS) {
      const status = statusOf(pid);
      // Another restore in this process may have made it.
      if (!status || status.parent !== process.pid || held.has(pid)) return;
      if (isDead(status)) {
        this.reached('', pid);
        return;
      }
      if (!mayBeHalfRestored(pid, status)) return;
      await sleep(POLL_MS);
    }
  }

  /** Kills processes that would wait for CRIU forever, now that it has ended. */
  async killUnfinished(replied: boolean): Promise<void> {
    if (this.complete || !this.begun) return;
    // After a reply CRIU has seen to the root itself.
    const isOurs = !replied && this.pid !== undefined;
    const halfRestored = halfRestoredAmong(this.#tree, isOurs);
    const others = halfRestored.filter((pid) => pid !== this.pid && !held.has(pid));
    await endTrees(isOurs && this.pid !== undefined ? [this.pid, ...others] : others);
  }

  /**
   * Whether what CRIU made would have been found: by its pid, or in CRIU's session, where those of
   * a pid namespace are until CRIU tells of them.
   */
  isFindable(session: number | undefined): boolean {
    return this.#expected !== undefined || session !== undefined;
  }

  /** Resolves when a process that was killed is gone; at once if it runs. */
  async died(): Promise<void> {
    if (this.complete) return;
    const watch = this.leave();
    if (watch) await exitWithin(KILL_TIMEOUT_MS, watch);
  }

  /** Lets go of it, but reaps it if it is a child of this process. */
  leave(): ExitWatch | undefined {
    if (this.pidfd !== undefined) this.#watch ??= watchExit(this.pidfd);
    return this.#watch;
  }

  /** The restore is over. */
  [Symbol.dispose](): void {
    if (this.pidfd !== undefined && this.pid !== undefined) held.delete(this.pid);
  }
}
