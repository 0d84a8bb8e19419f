import { isatty } from 'node:tty';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { type SocketFacts, socketsIn } from '../netlink/sock-diag.ts';
import { readMountInfo } from '../procfs/mountinfo.ts';
import { namespacePath, readNamespaces } from '../procfs/namespaces.ts';
import { eachOf, withFile } from '../procfs/read.ts';
import { isDead } from '../procfs/stat.ts';
import { readHasProtectionKeys } from '../procfs/system.ts';
import { readDescendants } from '../procfs/tree.ts';
import type { PreflightOptions } from './options.ts';
import { findOutsideOwners } from './outside-owners.ts';
import { ProcessReader } from './process.ts';
import { inodeOf, type ProcessFacts, type Snapshot } from './snapshot.ts';
import { Watches } from './watches.ts';

/** How many processes are read at the same time. */
const CONCURRENCY = 8;

/**
 * Reads a process tree; undefined if its root does not exist.
 * @param searchMs how long the other processes of the host may be searched, in milliseconds
 * @throws the reason of the cancellation, after the last read has ended
 */
export async function readTree(
  root: number,
  options: PreflightOptions,
  searchMs: number,
  cancellation: Cancellation,
): Promise<Snapshot | undefined> {
  const own = await readNamespaces('self');
  const pids = await readDescendants(root);
  const reader = new ProcessReader(
    own,
    pids,
    { protectionKeys: await readHasProtectionKeys(), sizes: options.lazyPages === true },
    new Watches(options),
    cancellation,
  );
  const read = await eachOf(pids, (pid) => reader.read(pid), CONCURRENCY);
  cancellation.throwIfRequested();
  const facts = new Map(read.map((process) => [process.pid, process]));
  const processes = pids.flatMap((pid) => facts.get(pid) ?? []);
  const [first] = processes;
  if (first?.pid !== root || isGone(first)) return undefined;

  const { sockets, uncheckedSockets } = await readSockets(processes, own.get('net'));
  const tree = new Set(pids);
  const links = outwardLinks(processes, sockets);
  using limit = cancellation.within(searchMs);
  const owners = await findOutsideOwners(links, tree, first.stat.parent, limit);
  const { found, isComplete } = owners;
  const unknownPeers = new Set(isComplete ? [] : [...links].filter((link) => !found.has(link)));
  const caller = {
    pid: process.pid,
    namespaces: own,
    mounts: await readMountInfo('self'),
    hasTerminal: isatty(0),
  };
  const { mounts, mountsOf } = reader;
  const connections = { sockets, uncheckedSockets, outsideOwners: found, unknownPeers };
  return { root: first, processes, mounts, mountsOf, ...connections, caller };
}

/** True for a zombie. A process whose first thread has ended looks like one, but has other threads. */
const isGone = ({ stat, threads }: ProcessFacts) => isDead(stat) && threads.length === 0;

/** Lists the sockets of each network namespace in which the tree has sockets. */
async function readSockets(processes: readonly ProcessFacts[], own: string | undefined) {
  const sockets = new Map<number, SocketFacts>();
  const uncheckedSockets: { pid: number; reason: string }[] = [];
  const hosts = new Map(
    processes
      .filter(({ descriptors }) => descriptors.some(({ link }) => link.startsWith('socket:')))
      .map((process) => [process.namespaces.get('net'), process.pid]),
  );
  for (const [namespace, pid] of hosts) {
    try {
      const found =
        namespace === own
          ? await socketsIn(-1)
          : await withFile(namespacePath(pid, 'net'), 'r', (fd) => socketsIn(fd));
      for (const socket of found ?? []) sockets.set(socket.inode, socket);
    } catch (error) {
      uncheckedSockets.push({ pid, reason: (error as Error).message });
    }
  }
  return { sockets, uncheckedSockets };
}

/** Finds the pipes with only one end in the tree, and the peers of its unix sockets outside. */
function outwardLinks(
  processes: readonly ProcessFacts[],
  sockets: ReadonlyMap<number, SocketFacts>,
): Set<string> {
  const links = processes.flatMap(({ descriptors }) => descriptors);
  const own = new Set(links.map(({ link }) => link));
  const pipes = new Map<string, number>();
  const peers: string[] = [];
  for (const { link, info } of links) {
    if (link.startsWith('pipe:')) {
      // The access mode: 0 for reading, 1 for writing, 2 for both.
      const ends = [1, 2, 3][(info?.flags ?? 2) & 3] ?? 3;
      pipes.set(link, (pipes.get(link) ?? 0) | ends);
    } else if (link.startsWith('socket:')) {
      const peer = sockets.get(inodeOf(link))?.peer;
      if (peer) peers.push(`socket:[${peer}]`);
    }
  }
  const halves = [...pipes].filter(([, ends]) => ends !== 3).map(([link]) => link);
  return new Set([...halves, ...peers.filter((peer) => !own.has(peer))]);
}
