import { statfs } from 'node:fs/promises';
import { arch, freemem, release } from 'node:os';
import type { Criu } from '../../criu.ts';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import { requireLargePipes } from '../../postcopy/pipes.ts';
import { readNamespace } from '../../procfs/namespaces.ts';
import { readThreads } from '../../procfs/processes.ts';
import { readSharedMemoryPss } from '../../procfs/smaps.ts';
import { readStatus } from '../../procfs/status.ts';
import { readAvailableMemory } from '../../procfs/system.ts';
import { descendantsOf } from '../../procfs/tree.ts';

/** What this host can do. */
export async function hostFacts(criu: Criu, directory: string): Promise<HostFacts__Output> {
  const [{ number }, features, disk] = await Promise.all([
    criu.version(),
    criu.features(),
    statfs(directory),
  ]);
  return {
    criu: number,
    kernel: release(),
    architecture: arch(),
    memTrack: features.memTrack,
    lazyPages: features.lazyPages,
    freeMemory: (await readAvailableMemory()) ?? freemem(),
    freeDisk: disk.bavail * disk.bsize,
  };
}

/** Whether this host can be the source of lazy pages; if not, why. */
export async function lazySourceObstacle(): Promise<string | undefined> {
  return await requireLargePipes('migrate').then(
    () => undefined,
    (error: Error) => error.message.replace(/^migrate: /, ''),
  );
}

/** What is to come: the ids of processes and threads that have to be free there, and the memory of all processes in bytes. */
export async function treeFacts(
  root: number,
): Promise<{ pids: number[]; memory: number; program: string }> {
  const tree = descendantsOf(root);
  const [own, inside] = await Promise.all(
    (['self', root] as const).map((pid) => readNamespace(pid, 'pid').catch(() => undefined)),
  );
  // One after the other: a tree may have more processes than this one may open files.
  let memory = 0;
  for (const pid of tree) memory += await memoryOf(pid);
  const status = await readStatus(root).catch(() => undefined);
  return {
    // In a namespace of its own a tree brings its pids along, and those of its threads.
    pids: own === inside ? await threadsOf(tree) : [],
    memory,
    program: status?.name ?? '',
  };
}

/** The ids of all threads of processes, each process first. */
async function threadsOf(pids: readonly number[]): Promise<number[]> {
  const all: number[] = [];
  for (const pid of pids) {
    const tasks = await readThreads(pid).catch(() => []);
    all.push(pid, ...tasks.filter((task) => task !== pid));
  }
  return all;
}

/** What the images of a process will have: its own memory, swapped out or not, and its share of others'. */
async function memoryOf(pid: number): Promise<number> {
  const [status, pss] = await Promise.all([
    readStatus(pid).catch(() => undefined),
    readSharedMemoryPss(pid).catch(() => undefined),
  ]);
  if (!status) return 0;
  return status.anonymous + status.swapped + (pss ?? status.shared);
}
