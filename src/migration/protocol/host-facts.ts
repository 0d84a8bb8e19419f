import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { arch, freemem, release } from 'node:os';
import type { Criu } from '../../criu.ts';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import { requireLargePipes } from '../../postcopy/pipes.ts';
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
    freeMemory: await availableMemory(),
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
    ['self', root].map((pid) => readlink(`/proc/${pid}/ns/pid`).catch(() => '')),
  );
  // One after the other: a tree may have more processes than this one may open files.
  let memory = 0;
  for (const pid of tree) memory += await memoryOf(pid);
  const status = await readFile(`/proc/${root}/status`, 'latin1').catch(() => '');
  return {
    // In a namespace of its own a tree brings its pids along, and those of its threads.
    pids: own === inside ? await threadsOf(tree) : [],
    memory,
    program: /^Name:\s*(.*)$/m.exec(status)?.[1] ?? '',
  };
}

/** The ids of all threads of processes, each process first. */
async function threadsOf(pids: readonly number[]): Promise<number[]> {
  const all: number[] = [];
  for (const pid of pids) {
    const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
    all.push(pid, ...tasks.map(Number).filter((task) => task !== pid));
  }
  return all;
}

/** What the images of a process will have: its own memory, swapped out or not, and its share of others'. */
async function memoryOf(pid: number): Promise<number> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
  const [status, shares] = await Promise.all([read('status'), read('smaps_rollup')]);
  const kib = (text: string, name: string) => {
    const size = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1];
    return size === undefined ? undefined : Number(size);
  };
  const shared = kib(shares, 'Pss_Shmem') ?? kib(status, 'RssShmem') ?? 0;
  return ((kib(status, 'RssAnon') ?? 0) + (kib(status, 'VmSwap') ?? 0) + shared) * 1024;
}

async function availableMemory(): Promise<number> {
  const info = await readFile('/proc/meminfo', 'latin1').catch(() => '');
  const kib = /^MemAvailable:\s*(\d+)/m.exec(info)?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}
