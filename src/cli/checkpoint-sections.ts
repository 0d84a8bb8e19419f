import type {
  CheckpointDescription,
  DescribedFile,
  DescribedProcess,
  MappingKind,
  MemorySizes,
} from '../images.ts';
import { formatBytes } from './quantities.ts';
import { counted, printable, table } from './text-layout.ts';

const SOCKETS: ReadonlySet<DescribedFile['type']> = new Set(['inet', 'unix', 'netlink', 'packet']);

export function isSocket({ type }: DescribedFile): boolean {
  return SOCKETS.has(type);
}

/** Descriptors with the files that are no sockets. */
export function fileLines(checkpoint: CheckpointDescription): string[] {
  return descriptorLines(checkpoint, (file) => !isSocket(file), fileNotes);
}

/** Descriptors with sockets. */
export function socketLines(checkpoint: CheckpointDescription): string[] {
  return descriptorLines(checkpoint, isSocket, socketNotes);
}

/** `12:3  /var/log/app.log (O_WRONLY, at 4096)` */
function descriptorLines(
  { processes, files }: CheckpointDescription,
  isWanted: (file: DescribedFile) => boolean,
  notesOf: (file: DescribedFile) => string[],
): string[] {
  const byId = new Map(files.map((file) => [file.id, file]));
  const rows = processes.flatMap(({ pid, descriptors }) =>
    descriptors.flatMap(({ fd, file: id }) => {
      const file = byId.get(id);
      if (!file || !isWanted(file)) return [];
      const notes = notesOf(file);
      const text = `${printable(file.text)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
      return [[`${pid}:${fd}`, text]];
    }),
  );
  return table(rows);
}

function fileNotes(file: DescribedFile): string[] {
  const access = file.flags[0] ?? '';
  switch (file.type) {
    case 'regular': {
      const { position, deleted, flags } = file;
      const append = flags.includes('O_APPEND') ? ['O_APPEND'] : [];
      const stored = deleted?.bytesStored;
      const kept = stored === undefined ? [] : [`${formatBytes(stored)} in the images`];
      const linked = deleted?.path === undefined ? [] : [`kept as ${printable(deleted.path)}`];
      return [access, ...append, ...(position > 0 ? [`at ${position}`] : []), ...kept, ...linked];
    }
    case 'pipe':
    case 'fifo':
      return [file.end === 'both' ? 'both ends' : `${file.end} end`];
    case 'memfd':
      return [formatBytes(file.size), ...file.seals];
    case 'tty':
      return file.rows === undefined ? [] : [`${file.columns}×${file.rows}`];
    default:
      return [];
  }
}

function socketNotes(file: DescribedFile): string[] {
  if (file.type === 'inet') {
    const { state, backlog, bytesReceived = 0, bytesUnacknowledged = 0, device } = file;
    return [
      ...(state === 'LISTEN' ? [`backlog ${backlog}`] : []),
      ...(bytesReceived > 0 ? [`${counted(bytesReceived, 'byte')} received`] : []),
      ...(bytesUnacknowledged > 0
        ? [`${counted(bytesUnacknowledged, 'byte')} unacknowledged`]
        : []),
      ...(device === undefined ? [] : [printable(device)]),
    ];
  }
  if (file.type !== 'unix') return [];
  const { peerUsers, messagesQueued, bytesQueued } = file;
  return [
    ...(peerUsers.length > 0 ? [`to ${users(peerUsers)}`] : []),
    ...(messagesQueued > 0
      ? [`${counted(messagesQueued, 'message')} of ${counted(bytesQueued, 'byte')} queued`]
      : []),
  ];
}

/** `pipe:[7]  12:4 → 13:0  5 bytes queued` */
export function pipeLines({ pipes, processes }: CheckpointDescription): string[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const rows = pipes
    .filter(({ readers, writers }) => [...readers, ...writers].some(({ pid }) => pids.has(pid)))
    .map(({ inode, path, readers, writers, bytesQueued }) => [
      printable(path ?? `pipe:[${inode}]`),
      `${users(writers)} → ${users(readers)}`,
      bytesQueued > 0 ? `${counted(bytesQueued, 'byte')} queued` : '',
    ]);
  return table(rows);
}

const users = (all: readonly { readonly pid: number; readonly fd: number }[]) =>
  all.length === 0 ? 'nobody' : all.map(({ pid, fd }) => `${pid}:${fd}`).join(' ');

/** What each process has but its files and memory. */
export function processLines({ processes }: CheckpointDescription): string[] {
  return processes.flatMap((process) => {
    const { pid, ppid, pgid, sid, program, workingDirectory, rootDirectory, seccomp } = process;
    const rows = [
      ['program', printable(program ?? '-')],
      ['working directory', printable(workingDirectory ?? '-')],
      ['root directory', printable(rootDirectory ?? '-')],
      ['parent, group, session', `${ppid}, ${pgid}, ${sid}`],
      ...credentialRows(process),
      ...(seccomp === undefined ? [] : [['seccomp', seccomp]]),
    ];
    const named = `${pid} ${printable(process.name)}`;
    return [named, ...table(rows.map(([name = '', value = '']) => [`  ${name}`, value]))];
  });
}

function credentialRows({ credentials }: DescribedProcess): string[][] {
  if (!credentials) return [];
  const { uid, euid, gid, egid, groups, capabilities, noNewPrivileges, lsmProfile } = credentials;
  const { effective } = capabilities;
  return [
    ['user', uid === euid ? `${uid}` : `${uid}, effective ${euid}`],
    ['group', gid === egid ? `${gid}` : `${gid}, effective ${egid}`],
    ...(groups.length > 0 ? [['further groups', groups.join(' ')]] : []),
    ['capabilities', effective.length > 0 ? effective.join(' ') : 'none'],
    ...(noNewPrivileges ? [['no new privileges', 'yes']] : []),
    ...(lsmProfile === undefined ? [] : [['profile', printable(lsmProfile)]]),
  ];
}

/** For each process, how much memory of each kind the images have. */
export function memoryLines(checkpoint: CheckpointDescription): string[] {
  const { processes, memory } = checkpoint;
  const pids = new Set(processes.map(({ pid }) => pid));
  // A pre-dump has no processes.
  const others = memory.filter(({ pid }) => pid === undefined || processes.length === 0);
  const rows = [
    ...processes.flatMap((process) => kindRows(process)),
    ...others.map((one) => {
      const name = one.pid === undefined ? `shared memory ${one.shared}` : `process ${one.pid}`;
      return [name, '', '', ...sizeCells(one)];
    }),
  ];
  if (rows.length === 0 || (pids.size === 0 && others.length === 0)) return [];
  const titles = ['', '', 'mapped', 'stored', 'in parents', 'lazy'];
  return table([titles, ...rows], [2, 3, 4, 5]);
}

function kindRows({ pid, name, mappings, bytesMapped }: DescribedProcess): string[][] {
  if (mappings.length === 0) return [];
  const kinds = new Map<MappingKind, Sum>();
  const total = emptySum();
  for (const mapping of mappings) {
    const sum = kinds.get(mapping.kind) ?? emptySum();
    kinds.set(mapping.kind, sum);
    for (const each of [sum, total]) addTo(each, mapping);
  }
  const rows = [...kinds]
    .sort(([, one], [, other]) => other.bytesStored - one.bytesStored)
    .map(([kind, sum]) => ['', kind, formatBytes(sum.size), ...sizeCells(sum)]);
  return [
    [`${pid} ${printable(name)}`, 'all', formatBytes(bytesMapped), ...sizeCells(total)],
    ...rows,
  ];
}

type Sum = { -readonly [Key in keyof MemorySizes]: number } & { size: number };

const emptySum = (): Sum => ({ size: 0, bytesStored: 0, bytesInParents: 0, bytesLazy: 0 });

function addTo(sum: Sum, mapping: MemorySizes & { readonly size: number }): void {
  sum.size += mapping.size;
  sum.bytesStored += mapping.bytesStored;
  sum.bytesInParents += mapping.bytesInParents;
  sum.bytesLazy += mapping.bytesLazy;
}

function sizeCells({ bytesStored, bytesInParents, bytesLazy }: MemorySizes): string[] {
  return [bytesStored, bytesInParents, bytesLazy].map((size) =>
    size > 0 ? formatBytes(size) : '-',
  );
}

/** Each mapping of each process. */
export function mappingLines({ processes }: CheckpointDescription): string[] {
  return processes.flatMap(({ pid, name, mappings }) => {
    if (mappings.length === 0) return [];
    const rows = mappings.map((mapping) => {
      const { start, end, protection, kind, path, shared, size } = mapping;
      const what = path ?? (shared === undefined ? `[${kind}]` : `[${kind} ${shared}]`);
      const range = `  ${start.slice(2)}-${end.slice(2)}`;
      return [range, protection, formatBytes(size), ...sizeCells(mapping), printable(what)];
    });
    const titles = ['  range', '', 'size', 'stored', 'in parents', 'lazy', ''];
    return [`${pid} ${printable(name)}`, ...table([titles, ...rows], [2, 3, 4, 5])];
  });
}
