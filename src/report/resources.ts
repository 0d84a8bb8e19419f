import type { CheckpointDescription, DescribedFile, FileUser } from '../images.ts';
import { groupBy } from './groups.ts';
import { counted } from './quantities.ts';

/** What a resource is, as colours tell it; the order is that of their importance. */
export type ResourceKind = 'listening' | 'connection' | 'outside' | 'local' | 'file' | 'rest';

/** What processes have open: one thing, or many that look the same. */
export interface Resource {
  readonly kind: ResourceKind;
  readonly text: string;
  /** The descriptors of it, at least one. */
  readonly users: readonly FileUser[];
  /** Bytes that wait to be read or to be acknowledged. */
  readonly bytesQueued: number;
}

/** How important each kind is for a restore. */
const ORDER: readonly ResourceKind[] = [
  ...(['listening', 'connection', 'outside', 'local', 'file', 'rest'] as const),
];

/** What the processes have open, the most important first. */
export function resourcesOf({ files, pipes }: CheckpointDescription): Resource[] {
  const whole = new Set(
    pipes
      .filter(({ readers, writers }) => readers.length > 0 && writers.length > 0)
      .map(({ inode }) => inode),
  );
  const open = files.filter(({ users }) => users.length > 0);
  return [...groupBy(open, keyOf).values()]
    .map((group) => resourceOf(group, whole))
    .sort(
      (one, other) =>
        ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind) ||
        other.users.length - one.users.length,
    );
}

/** Connections of a port and their state, ends of a pipe or of a unix connection, and files of a path are one each. */
function keyOf(file: DescribedFile): string {
  switch (file.type) {
    case 'inet': {
      const { protocol, local, remote, state, inode } = file;
      if (!remote) return `inet ${inode}`;
      const pids = [...new Set(file.users.map(({ pid }) => pid))].join();
      return `inet ${protocol} ${local.address} ${local.port} ${state} ${pids}`;
    }
    case 'unix':
      return `unix ${file.peer === undefined ? file.inode : Math.min(file.inode, file.peer)}`;
    case 'pipe':
    case 'fifo':
      return `pipe ${file.inode}`;
    case 'regular':
      return `path ${file.path}`;
    case 'tty':
    case 'memfd':
      return `${file.type} ${file.id}`;
    default: {
      const pids = [...new Set(file.users.map(({ pid }) => pid))].join();
      return `${file.type} ${pids}`;
    }
  }
}

function resourceOf(group: readonly DescribedFile[], wholePipes: ReadonlySet<number>): Resource {
  const first = group[0] as DescribedFile;
  const users = group.flatMap((file) => file.users);
  const bytesQueued = group.reduce((sum, file) => sum + queuedIn(file), 0);
  return { kind: kindOf(first, group, wholePipes), text: textOf(first, group), users, bytesQueued };
}

function kindOf(
  file: DescribedFile,
  group: readonly DescribedFile[],
  wholePipes: ReadonlySet<number>,
): ResourceKind {
  switch (file.type) {
    case 'inet':
      if (file.state === 'LISTEN') return 'listening';
      return file.remote ? 'connection' : 'listening';
    case 'unix':
      if (group.some((one) => one.type === 'unix' && one.isPeerOutside)) return 'outside';
      return file.state === 'LISTEN' ? 'listening' : 'local';
    case 'pipe':
    case 'fifo':
      return wholePipes.has(file.inode) ? 'local' : 'outside';
    case 'regular':
      if (file.path.startsWith('/dev/')) return 'rest';
      return file.isExternal ? 'outside' : 'file';
    case 'memfd':
    case 'tty':
      return 'file';
    default:
      return 'rest';
  }
}

function textOf(file: DescribedFile, group: readonly DescribedFile[]): string {
  if (group.length === 1) return file.text;
  if (file.type === 'inet') {
    const { protocol, local, state } = file;
    const port = `${local.address.includes(':') ? `[${local.address}]` : local.address}:${local.port}`;
    return `${protocol} ${port}: ${counted(group.length, 'connection')} ${state}`;
  }
  if (file.type === 'pipe' || file.type === 'fifo' || file.type === 'regular') return file.text;
  if (file.type === 'unix') {
    const named = group.find((one) => one.type === 'unix' && one.path !== undefined);
    const path = named?.type === 'unix' ? named.path : undefined;
    return `unix ${file.socketType} ${path ?? `socket:[${file.inode}]`}, both ends`;
  }
  return `${counted(group.length, file.type)}`;
}

function queuedIn(file: DescribedFile): number {
  if (file.type === 'inet') return (file.bytesReceived ?? 0) + (file.bytesUnacknowledged ?? 0);
  return file.type === 'unix' ? file.bytesQueued : 0;
}
