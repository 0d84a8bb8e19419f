import { statusOf } from '../procfs/status.ts';
import { descendantsOf } from '../procfs/tree.ts';

/**
 * An estimate of the memory that a process tree takes in images, in bytes. Counts memory that
 * processes share once.
 */
export function estimateMemory(root: number): number {
  let own = 0;
  let shared = 0;
  for (const pid of descendantsOf(root)) {
    const status = statusOf(pid);
    if (!status) continue;
    own += status.anonymous + status.swapped;
    shared = Math.max(shared, status.shared);
  }
  return own + shared;
}
