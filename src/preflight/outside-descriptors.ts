import { descriptorsOf } from './checks/check.ts';
import { externalUnix, outsidePeers } from './checks/connections.ts';
import { externalTerminal, orphanSlaves } from './checks/terminals.ts';
import type { Snapshot } from './snapshot.ts';

/** A descriptor whose other end is outside the tree of its process. */
export interface OutsideDescriptor {
  readonly pid: number;
  readonly fd: number;
  /** CRIU's name of it: a key of `inheritFd` at a restore. */
  readonly name: string;
  /** The entry that `external` needs at a dump. */
  readonly external?: string;
}

/** Finds the descriptors whose other end is outside the tree: pipes, connected unix sockets and terminals. */
export function outsideDescriptorsOf(snapshot: Snapshot): OutsideDescriptor[] {
  const peers = new Map(
    outsidePeers(snapshot).map(([, , { inode }]) => [`socket:[${inode}]`, externalUnix(inode)]),
  );
  const slaves = new Set(orphanSlaves(snapshot));
  return descriptorsOf(snapshot).flatMap(([{ pid }, { fd, link, file }]) => {
    const { outsideOwners, unknownPeers } = snapshot;
    const isPipe = link.startsWith('pipe:') && (outsideOwners.has(link) || unknownPeers.has(link));
    if (isPipe) return { pid, fd, name: link };
    const external = peers.get(link);
    if (external !== undefined) return { pid, fd, name: link, external };
    if (!file || !slaves.has(file.stats.rdev)) return [];
    const name = externalTerminal(file.stats);
    return { pid, fd, name, external: name };
  });
}
