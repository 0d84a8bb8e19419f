import {
  externalTerminal,
  externalUnix,
  type OutsideDescriptor,
} from '../launch/outside-descriptors.ts';
import { descriptorsOf } from './checks/check.ts';
import { outsidePeers } from './checks/connections.ts';
import { orphanSlaves } from './checks/terminals.ts';
import type { Snapshot } from './snapshot.ts';

/** A descriptor of a process in a tree whose other end is outside the tree. */
export interface TreeDescriptor extends OutsideDescriptor {
  readonly pid: number;
}

/** Finds the descriptors whose other end is outside the tree: pipes, connected unix sockets and terminals. */
export function outsideDescriptorsOf(snapshot: Snapshot): TreeDescriptor[] {
  const peers = new Map(
    outsidePeers(snapshot).map(([, , { inode }]) => [`socket:[${inode}]`, externalUnix(inode)]),
  );
  const slaves = new Set(orphanSlaves(snapshot));
  return descriptorsOf(snapshot).flatMap(([{ pid }, { fd: number, link, file }]) => {
    const { outsideOwners, unknownPeers } = snapshot;
    const isPipe = link.startsWith('pipe:') && (outsideOwners.has(link) || unknownPeers.has(link));
    if (isPipe) return { pid, number, name: link };
    const external = peers.get(link);
    if (external !== undefined) return { pid, number, name: link, external };
    if (!file || !slaves.has(file.stats.rdev)) return [];
    const name = externalTerminal(file.stats);
    return { pid, number, name, external: name };
  });
}
