import { readdirSync, readFileSync } from 'node:fs';

/** Kills a process and all below it, as far as they are seen from here. Their pids are returned. */
export function killTree(root: number): number[] {
  return killTrees([root]);
}

/** The same of several. */
export function killTrees(roots: readonly number[]): number[] {
  const found = new Set<number>();
  // Stopped first, so that none can start another unseen.
  for (let fresh = [...roots]; fresh.length > 0; ) {
    for (const pid of fresh) {
      found.add(pid);
      signal(pid, 'SIGSTOP');
    }
    const among = (pids: Iterable<number>) =>
      [...pids].flatMap(childrenOf).filter((pid) => !found.has(pid));
    const below = among(fresh);
    // Before it stopped, one may have started another after all.
    fresh = below.length > 0 ? below : among(found);
  }
  for (const pid of found) signal(pid, 'SIGKILL');
  return [...found];
}

/** The pids of a process and of all below it, the root first. */
export function descendantsOf(root: number): number[] {
  const found = new Set([root]);
  // What is added while it is walked through is walked through as well.
  for (const pid of found) for (const child of childrenOf(pid)) found.add(child);
  return [...found];
}

/** The pids of what a process has started itself. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    // It has ended.
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
