import { readSharedMemoryPss } from './smaps.ts';
import { readStatus } from './status.ts';

/** Reads the approximate size of the images of processes, in bytes. */
export async function readTreeMemory(tree: readonly number[]): Promise<number> {
  let memory = 0;
  // One by one: a tree may have more processes than this process may open files.
  for (const pid of tree) memory += await memoryOf(pid);
  return memory;
}

/** The own memory of a process, and its share of shared memory. */
async function memoryOf(pid: number): Promise<number> {
  const [status, pss] = await Promise.all([
    readStatus(pid).catch(() => undefined),
    readSharedMemoryPss(pid).catch(() => undefined),
  ]);
  if (!status) return 0;
  return status.anonymous + status.swapped + (pss ?? status.shared);
}
