import { readFile, readlink, statfs } from 'node:fs/promises';
import { arch, freemem, release } from 'node:os';
import type { Criu } from '../../criu.ts';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import { requireLargePipes } from '../../lazy/pipes.ts';
import { descendantsOf } from '../../process/tree.ts';

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

/** What is to come: the pids that have to be free there, and the memory of all processes in bytes. */
export async function treeFacts(
  root: number,
): Promise<{ pids: number[]; memory: number; program: string }> {
  const tree = descendantsOf(root);
  const [own, inside] = await Promise.all(
    ['self', root].map((pid) => readlink(`/proc/${pid}/ns/pid`).catch(() => '')),
  );
  const statuses = await Promise.all(
    tree.map((pid) => readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')),
  );
  const kib = statuses.map((status) => Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1] ?? 0));
  return {
    // In a namespace of its own a tree brings its pids along.
    pids: own === inside ? tree : [],
    memory: kib.reduce((sum, size) => sum + size, 0) * 1024,
    program: /^Name:\s*(.*)$/m.exec(statuses[0] ?? '')?.[1] ?? '',
  };
}

async function availableMemory(): Promise<number> {
  const info = await readFile('/proc/meminfo', 'latin1').catch(() => '');
  const kib = /^MemAvailable:\s*(\d+)/m.exec(info)?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}
