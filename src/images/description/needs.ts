import type { InventoryEntry, TtyInfoEntry } from '../../generated/images/types.ts';
import type { DescribedMount, DescribedNamespace } from './checkpoint-description.ts';
import type {
  CheckpointNeeds,
  NeededAddress,
  NeededExternal,
  NeededFile,
  NeededOption,
} from './checkpoint-needs.ts';
import type { DescribedFile, InetSocket, UnixSocket } from './described-file.ts';
import type { FileTable } from './file-table.ts';
import type { ProcessImages } from './process-images.ts';

/** The major number of the slaves of pseudo-terminals. */
const SLAVES = 136;
const FOLLOWS_ON_HOST = /^\/proc\/\d/;

/** What {@link describeNeeds} looks at. */
export interface NeedsContext {
  readonly inventory: InventoryEntry;
  readonly architecture: string | undefined;
  readonly processor: string | undefined;
  readonly hasLocks: boolean;
  /** Options that the manifest has for the restore. */
  readonly remembered: Readonly<Record<string, unknown>>;
  readonly processes: readonly ProcessImages[];
  readonly table: FileTable;
  readonly files: readonly DescribedFile[];
  readonly namespaces: readonly DescribedNamespace[];
  readonly mounts: readonly DescribedMount[];
  readonly bytesLazy: number;
}

/** What a restore needs of its host and of its options. */
export function describeNeeds(context: NeedsContext): CheckpointNeeds {
  const { inventory, architecture, processor, bytesLazy } = context;
  const lsm = inventory.lsmtype === undefined ? undefined : String(inventory.lsmtype);
  return {
    criu: oldestCriu(context),
    architecture,
    processor,
    lsm: lsm === undefined || lsm === 'NO_LSM' ? undefined : lsm.toLowerCase(),
    plugins: inventory.plugins_entry?.plugins ?? [],
    options: neededOptions(context),
    external: neededExternals(context),
    addresses: neededAddresses(context),
    pids: hasOwn(context, 'pid') ? [] : neededIds(context.processes),
    files: hasOwn(context, 'mnt') ? [] : neededFiles(context.files),
    bytesLazy,
  };
}

/** Things that newer versions of CRIU write, the newest first. */
function oldestCriu({ inventory, table, namespaces }: NeedsContext): string | undefined {
  const has = (field: 'pidfd' | 'bpf' | 'memfd') =>
    [...table.files.values()].some((file) => file[field] !== undefined);
  if (inventory.compress) return '4.3';
  if (has('pidfd')) return '4.1';
  if (has('bpf')) return '3.15';
  if (namespaces.some(({ kind, isOwn }) => kind === 'time' && isOwn)) return '3.14';
  return has('memfd') ? '3.13' : undefined;
}

function hasOwn({ namespaces }: NeedsContext, kind: DescribedNamespace['kind']): boolean {
  return namespaces.some((one) => one.kind === kind && one.isOwn);
}

function neededOptions(context: NeedsContext): NeededOption[] {
  const { remembered } = context;
  return reasonsOf(context).map(([option, reason]) => {
    return { option, reason, isRemembered: remembered[option] !== undefined };
  });
}

function reasonsOf(context: NeedsContext): [NeededOption['option'], string][] {
  const { inventory, processes, files, hasLocks, mounts } = context;
  const [root] = processes;
  const reasons: ReturnType<typeof reasonsOf> = [];
  const { length: connections } = files.filter((one) => one.type === 'inet' && isConnection(one));
  if (inventory.tcp_close) {
    reasons.push(['tcpClose', 'the dump closed its TCP connections, and so must the restore']);
  } else if (connections > 0) {
    const many = connections === 1 ? 'a TCP connection' : `${connections} TCP connections`;
    reasons.push(['tcpEstablished', `the processes have ${many}`]);
  }
  if (root && root.entry.sid !== root.entry.pid) {
    const { sid } = root.entry;
    reasons.push(['shellJob', `session ${sid} and its terminal were outside the tree`]);
  } else if (orphanTerminals(context).length > 0) {
    reasons.push(['shellJob', 'the master of a terminal was outside the tree']);
  }
  if (hasLocks) reasons.push(['fileLocks', 'the processes have locked files']);
  if (files.some((file) => isOutside(file) && file.socketType === 'dgram')) {
    const reason = 'the peer of a datagram socket was outside the tree';
    reasons.push(['externalUnixConnections', reason]);
  }
  if (hasOwn(context, 'mnt')) {
    reasons.push(['root', 'the processes had a mount namespace of their own']);
  }
  if (mounts.some(({ type, external }) => type === 'external' && external === undefined)) {
    reasons.push(['autoExtMnt', 'the dump found mounts from outside the tree']);
  }
  return reasons;
}

function isConnection({ protocol, remote }: InetSocket): boolean {
  return protocol === 'tcp' && remote !== undefined;
}

function isOutside(file: DescribedFile): file is DescribedFile & UnixSocket {
  return file.type === 'unix' && file.isPeerOutside && file.users.length > 0;
}

/** Terminals with a slave in the tree, and no master. */
function orphanTerminals({ table }: NeedsContext): TtyInfoEntry[] {
  const all = [...table.terminals.values()];
  const numberOf = ({ pty, rdev }: TtyInfoEntry) => pty?.index ?? rdev & 0xff;
  const isSlave = ({ rdev }: TtyInfoEntry) => ((rdev >>> 8) & 0xfff) === SLAVES;
  const masters = new Set(all.filter((one) => one.type === 'PTY' && !isSlave(one)).map(numberOf));
  return all.filter((one) => {
    return isSlave(one) && one.type !== 'EXT_TTY' && one.termios && !masters.has(numberOf(one));
  });
}

function neededExternals({ files, mounts, namespaces }: NeedsContext): NeededExternal[] {
  const found: NeededExternal[] = [];
  // The other end of a pipe may be in flight, in the queue of a socket.
  const ends = new Map<number, Set<string>>();
  for (const file of files) {
    if (file.type !== 'pipe') continue;
    const known = ends.get(file.inode) ?? new Set();
    for (const end of file.end === 'both' ? ['read', 'write'] : [file.end]) known.add(end);
    ends.set(file.inode, known);
  }
  for (const [inode, known] of ends) {
    if (known.size === 1) found.push({ kind: 'pipe', key: `pipe:[${inode}]` });
  }
  for (const file of files) {
    if (file.type === 'regular' && file.isExternal) found.push({ kind: 'file', key: file.path });
    if (isOutside(file) && file.socketType !== 'dgram') {
      found.push({ kind: 'unix', key: `socket:[${file.inode}]` });
    }
    if (file.type === 'tty' && file.kind === 'ext_tty') {
      found.push({ kind: 'terminal', key: file.text });
    }
  }
  for (const { external } of mounts) {
    if (external !== undefined) found.push({ kind: 'mount', key: `mnt[${external}]` });
  }
  for (const { external } of namespaces) {
    if (external !== undefined) found.push({ kind: 'namespace', key: external });
  }
  return found;
}

/** Addresses that a restore binds to, each once. */
function neededAddresses({ files }: NeedsContext): NeededAddress[] {
  const found = new Map<string, NeededAddress>();
  for (const file of files) {
    if (file.type !== 'inet' || file.local.port === 0) continue;
    const { protocol, state, local } = file;
    const isListening = state === 'LISTEN';
    found.set(`${protocol} ${local.address} ${local.port} ${isListening}`, {
      ...{ protocol, ...local, isListening },
    });
  }
  return [...found.values()];
}

/** The ids of processes, threads, groups and sessions, in ascending order. */
function neededIds(processes: readonly ProcessImages[]): number[] {
  const [root] = processes;
  const isLeader = root?.entry.sid === root?.entry.pid;
  const ids = new Set<number>();
  for (const { entry, threads } of processes) {
    for (const { tid } of threads) ids.add(tid);
    ids.add(entry.pid);
    // A root that leads no session joins those of criu.
    if (isLeader || entry.pgid !== root?.entry.pgid) ids.add(entry.pgid);
    if (isLeader || entry.sid !== root?.entry.sid) ids.add(entry.sid);
  }
  ids.delete(0);
  return [...ids].sort((one, other) => one - other);
}

/** Files that a restore opens by their names, each once. */
function neededFiles(files: readonly DescribedFile[]): NeededFile[] {
  const found = new Map<string, NeededFile>();
  for (const file of files) {
    if (file.type !== 'regular' || file.isExternal) continue;
    const isKept = file.deleted !== undefined && file.deleted.kept !== 'linked';
    // Of a process: it exists only after the restore, or not any more.
    if (isKept || FOLLOWS_ON_HOST.test(file.path)) continue;
    const path = file.deleted?.path ?? file.path;
    const { size, mode, buildId } = file;
    found.set(path, { path, size, mode, buildId });
  }
  return [...found.values()];
}
