import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../procfs/stat.ts';
import { childrenOf } from '../procfs/tree.ts';
import { exitWithin, openPidfd, watchExit } from './exit.ts';

/** How long killed processes may take to be gone, in milliseconds. */
export const KILL_TIMEOUT_MS = 5000;
const POLL_MS = 5;

/**
 * Kills processes with all their descendants, and resolves when they are gone, at the latest after 5
 * seconds. Reaps those of `pids` that are children of this process.
 */
export async function endTrees(pids: readonly number[]): Promise<void> {
  const pidfds = pids.map(openPidfd).filter((pidfd) => pidfd !== undefined);
  const killed = killTrees(pids);
  await Promise.all(pidfds.map((pidfd) => exitWithin(KILL_TIMEOUT_MS, watchExit(pidfd))));
  // The descendants are polled: they are not children of this process, and may be too many for a
  // pidfd each.
  for (let waited = 0; waited < KILL_TIMEOUT_MS && killed.some(isAlive); waited += POLL_MS) {
    await sleep(POLL_MS);
  }
}

/**
 * Ends the processes that `find` finds, as {@link endTrees} does, until it finds no others: one may have forked when it was
 * looked at, just before it was killed, and the next look finds its child.
 */
export async function endAllFound(find: () => readonly number[]): Promise<void> {
  const ended = new Set<number>();
  for (;;) {
    const found = find().filter((pid) => !ended.has(pid));
    if (found.length === 0) return;
    await endTrees(found);
    for (const pid of found) ended.add(pid);
  }
}

/**
 * Kills processes with all their descendants that are visible here.
 * @returns the pids of all processes that were killed
 */
export function killTrees(roots: readonly number[]): number[] {
  const found = new Set<number>();
  // Stop each process before its children are listed, so that it cannot start another one unseen.
  for (let fresh = [...roots]; fresh.length > 0; ) {
    for (const pid of fresh) {
      found.add(pid);
      signal(pid, 'SIGSTOP');
    }
    const childrenAmong = (pids: Iterable<number>) =>
      [...pids].flatMap(childrenOf).filter((pid) => !found.has(pid));
    const below = childrenAmong(fresh);
    // A process may have started another one before SIGSTOP took effect: look once more at the end.
    fresh = below.length > 0 ? below : childrenAmong(found);
  }
  for (const pid of found) signal(pid, 'SIGKILL');
  return [...found];
}

/** Sends a signal to a process, unless it has ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended.
  }
}
