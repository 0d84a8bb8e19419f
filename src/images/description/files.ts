import type { FileEntry, RegFileEntry, RemapFilePathEntry } from '../../generated/images/types.ts';
import type { DescribedPipe } from './checkpoint-description.ts';
import type {
  DeletedFile,
  DescribedFile,
  FileUser,
  PipeEnd,
  RegularFile,
} from './described-file.ts';
import type { FileTable } from './file-table.ts';
import { openFlags } from './names.ts';
import {
  describeInet,
  describeNetlink,
  describePacket,
  describeUnix,
  type WithText,
} from './sockets.ts';
import { describeSpecial } from './special-files.ts';

const ACCESS = 3;
const ENDS = ['read', 'write', 'both', 'both'] as const;

/** Describes all open files, in the order of their ids. */
export function describeFiles(table: FileTable): DescribedFile[] {
  return [...table.files.values()].map((file) => ({
    id: file.id,
    users: table.users.get(file.id) ?? [],
    flags: openFlags(flagsOf(file, table)),
    ...describe(file, table),
  }));
}

function describe(file: FileEntry, table: FileTable) {
  const { id, reg, isk, usk, nlsk, psk, pipe, fifo } = file;
  if (reg) return describeRegular(reg, table);
  if (isk) return describeInet(isk, table);
  if (usk) return describeUnix(usk, id, table);
  if (nlsk) return describeNetlink(nlsk);
  if (psk) return describePacket(psk);
  if (pipe) return describePipe(pipe.pipe_id, pipe.flags);
  if (fifo) {
    const path = pathOf(table, fifo.regf_id);
    const text = path ?? `fifo:[${fifo.pipe_id}]`;
    return {
      type: 'fifo',
      inode: fifo.pipe_id,
      path,
      end: endOf(flagsOf(file, table)),
      text,
    } as const;
  }
  return describeSpecial(file, table);
}

function describeRegular(reg: RegFileEntry, table: FileTable): WithText<RegularFile> {
  const remap = table.remaps.get(reg.id);
  const deleted = remap && describeDeleted(remap, table);
  return {
    type: 'regular',
    path: reg.name,
    position: Number(reg.pos),
    size: reg.size === undefined ? undefined : Number(reg.size),
    mode: reg.mode,
    buildId: buildIdText(reg.build_id),
    isExternal: reg.ext ?? false,
    deleted,
    text: `${reg.name}${deleted ? ' (deleted)' : ''}${reg.ext ? ' (external)' : ''}`,
  };
}

function describeDeleted(
  { remap_type: type = 'LINKED', remap_id: id }: RemapFilePathEntry,
  table: FileTable,
): DeletedFile {
  switch (type) {
    case 'GHOST':
      return { kept: 'ghost', bytesStored: table.ghosts.get(id), path: undefined };
    case 'PROCFS':
      return { kept: 'procfs', bytesStored: undefined, path: undefined };
    default:
      return { kept: 'linked', bytesStored: undefined, path: pathOf(table, id) };
  }
}

/** The words of CRIU are bytes in the order of the host. */
function buildIdText(words: readonly number[] | undefined): string | undefined {
  if (!words?.length) return undefined;
  const bytes = Buffer.alloc(4 * words.length);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 4 * index);
  return bytes.toString('hex');
}

function describePipe(inode: number, flags: number): WithText<PipeEnd> {
  return { type: 'pipe', inode, end: endOf(flags), text: `pipe:[${inode}]` };
}

/** With O_RDWR, a descriptor has both ends. */
function endOf(flags: number): PipeEnd['end'] {
  return ENDS[flags & ACCESS] ?? 'both';
}

/** The path of a file that has one. */
export function pathOf({ files }: FileTable, id: number | undefined): string | undefined {
  return id === undefined ? undefined : files.get(id)?.reg?.name;
}

/** The pipes, with the descriptors at both ends. */
export function describePipes(files: readonly DescribedFile[], table: FileTable): DescribedPipe[] {
  const pipes = new Map<
    number,
    { path: string | undefined; readers: FileUser[]; writers: FileUser[] }
  >();
  for (const file of files) {
    if (file.type !== 'pipe' && file.type !== 'fifo') continue;
    const path = file.type === 'fifo' ? file.path : undefined;
    const pipe = pipes.get(file.inode) ?? { path, readers: [], writers: [] };
    pipes.set(file.inode, pipe);
    if (file.end !== 'write') pipe.readers.push(...file.users);
    if (file.end !== 'read') pipe.writers.push(...file.users);
  }
  return [...pipes].map(([inode, pipe]) => ({
    inode,
    ...pipe,
    bytesQueued: table.pipes.get(inode) ?? 0,
  }));
}

/** The flags of open(2) of a file; those of a named pipe are with its path. */
function flagsOf(file: FileEntry, table: FileTable): number {
  const { reg, isk, psk, nlsk, efd, epfd, sgfd, tfd, ify, ffy, usk, pipe, tty, memfd, bpf, nsf } =
    file;
  const { fifo, pidfd } = file;
  if (fifo) return table.files.get(fifo.regf_id ?? -1)?.reg?.flags ?? 0;
  const one = reg ?? isk ?? psk ?? nlsk ?? efd ?? epfd ?? sgfd ?? tfd ?? ify ?? ffy ?? usk ?? pipe;
  return (one ?? tty ?? memfd ?? bpf ?? nsf ?? pidfd)?.flags ?? 0;
}
