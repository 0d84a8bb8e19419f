import { childrenOf } from '../procfs/tree.ts';

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

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended.
  }
}
