import { readStatus } from '../procfs/status.ts';
import { readDescendants } from '../procfs/tree.ts';

/**
 * Finds the processes of a tree that have memory: their pids, by those in their own pid namespace, which
 * the names of their images have.
 */
export async function processesOf(root: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const pid of await readDescendants(root)) {
    const status = await readStatus(pid);
    const id = status?.pids.at(-1);
    if (id !== undefined && status?.hasMemory) found.set(id, pid);
  }
  return found;
}
