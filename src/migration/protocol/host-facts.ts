import { statfs } from 'node:fs/promises';
import { arch, freemem, release } from 'node:os';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import { readLocalAddresses } from '../../netlink/bound-sockets.ts';
import { requireLargePipes } from '../../preflight/pipes.ts';
import { readSockets } from '../../procfs/descriptors.ts';
import { readNamespace } from '../../procfs/namespaces.ts';
import { readThreads } from '../../procfs/processes.ts';
import { readStatus } from '../../procfs/status.ts';
import { readAvailableMemory } from '../../procfs/system.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { readTreeMemory } from '../../procfs/tree-memory.ts';
import type { CriuOperations } from './criu-operations.ts';

/** What this host supports, and how much is free. */
export async function readHostFacts(
  operations: Pick<CriuOperations, 'version' | 'features'>,
  directory: string,
): Promise<HostFacts__Output> {
  const [{ number }, features, disk] = await Promise.all([
    operations.version(),
    operations.features(),
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

/** Why this host cannot be the source of lazy pages; undefined if it can. */
export async function lazySourceObstacle(): Promise<string | undefined> {
  return await requireLargePipes('migrate').then(
    () => undefined,
    (error: Error) => error.message.replace(/^migrate: /, ''),
  );
}

/** What a process tree needs at the destination. */
export interface TreeFacts {
  /** The ids of all threads, which have to be free there; empty if the tree has a pid namespace. */
  readonly pids: number[];
  /** The memory of all processes, in bytes. */
  readonly memory: number;
  /** The name of the root process. */
  readonly program: string;
  /** The addresses of its listening and UDP sockets, without those in other network namespaces. */
  readonly localAddresses: string[];
  /** Those of its connected TCP sockets. */
  readonly connectedAddresses: string[];
}

/** Reads what a process tree needs at the destination. */
export async function readTreeFacts(root: number): Promise<TreeFacts> {
  const tree = descendantsOf(root);
  const [own, inside] = await Promise.all(
    (['self', root] as const).map((pid) => readNamespace(pid, 'pid').catch(() => undefined)),
  );
  const memory = await readTreeMemory(tree);
  const status = await readStatus(root).catch(() => undefined);
  return {
    pids: own === inside ? await threadsOf(tree) : [],
    memory,
    program: status?.name ?? '',
    ...(await localAddressesOf(tree)),
  };
}

/** The distinct local addresses of the sockets of processes in this network namespace. */
async function localAddressesOf(
  pids: readonly number[],
): Promise<Pick<TreeFacts, 'localAddresses' | 'connectedAddresses'>> {
  const own = await readNamespace('self', 'net');
  const known = await readLocalAddresses();
  const [local, connected] = [new Set<string>(), new Set<string>()];
  for (const pid of pids) {
    if ((await readNamespace(pid, 'net').catch(() => undefined)) !== own) continue;
    for (const { inode } of await readSockets(pid).catch(() => [])) {
      const found = known.get(inode);
      if (found) (found.isConnected ? connected : local).add(found.address);
    }
  }
  return { localAddresses: [...local], connectedAddresses: [...connected] };
}

/** The ids of all threads of processes, each process first. */
async function threadsOf(pids: readonly number[]): Promise<number[]> {
  const all: number[] = [];
  for (const pid of pids) {
    const threads = await readThreads(pid).catch(() => []);
    all.push(pid, ...threads.filter((thread) => thread !== pid));
  }
  return all;
}
