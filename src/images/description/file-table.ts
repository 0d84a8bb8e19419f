import type {
  FileEntry,
  MemfdInodeEntry,
  RemapFilePathEntry,
  TtyInfoEntry,
} from '../../generated/images/types.ts';
import { type MappedFile, memfdFile } from '../memory/mapped-files.ts';
import type { Payload } from '../payload.ts';
import type { FileUser } from './described-file.ts';
import type { ImageDirectory } from './image-directory.ts';

/** Messages and their bytes in the queue of a socket. */
export interface Queue {
  readonly messages: number;
  readonly bytes: number;
}

/** The bytes in both queues of a TCP connection. */
export interface TcpQueueSizes {
  readonly received: number;
  readonly unacknowledged: number;
}

/** All open files of a dump, and what other images say of them. */
export interface FileTable {
  readonly files: ReadonlyMap<number, FileEntry>;
  /** The descriptors of each file. */
  readonly users: ReadonlyMap<number, readonly FileUser[]>;
  readonly remaps: ReadonlyMap<number, RemapFilePathEntry>;
  /** The size of the content of deleted files, by their number. */
  readonly ghosts: ReadonlyMap<number, number>;
  readonly terminals: ReadonlyMap<number, TtyInfoEntry>;
  readonly memfds: ReadonlyMap<number, MemfdInodeEntry>;
  /** The bytes in pipes, by their inode. */
  readonly pipes: ReadonlyMap<number, number>;
  /** The queues of sockets, by the id of their file. */
  readonly queues: ReadonlyMap<number, Queue>;
  /** The queues of TCP connections, by their inode. */
  readonly tcp: ReadonlyMap<number, TcpQueueSizes>;
  /** The ids of the files of unix sockets, by their inode. */
  readonly unixSockets: ReadonlyMap<number, number>;
}

/** Reads the open files, without their descriptors. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function readFiles(images: ImageDirectory): Promise<Omit<FileTable, 'users'>> {
  const [files, remaps, terminals, memfds, ghosts, pipes, queues, tcp] = await Promise.all([
    images.messages('files.img', 'FILES'),
    images.messages('remap-fpath.img', 'REMAP_FPATH'),
    images.messages('tty-info.img', 'TTY_INFO'),
    images.messages('memfd.img', 'MEMFD_INODE'),
    readGhosts(images),
    readPipes(images),
    readQueues(images),
    readTcpQueues(images),
  ]);
  return {
    files: new Map(files.map((file) => [file.id, file])),
    remaps: new Map(remaps.map((remap) => [remap.orig_id, remap])),
    ghosts,
    terminals: new Map(terminals.map((terminal) => [terminal.id, terminal])),
    memfds: new Map(memfds.map((memfd) => [Number(memfd.inode_id), memfd])),
    pipes,
    queues,
    tcp,
    unixSockets: new Map(files.flatMap(({ id, usk }) => (usk ? [[usk.ino, id] as const] : []))),
  };
}

/** The files as mappings refer to them. */
export function mappedFiles({
  files,
  memfds,
}: Pick<FileTable, 'files' | 'memfds'>): Map<number, MappedFile> {
  const mapped = new Map<number, MappedFile>();
  for (const [id, { reg, memfd }] of files) {
    if (reg) mapped.set(id, { path: reg.name, size: reg.size, shared: undefined });
    const inode = memfd && memfds.get(memfd.inode_id);
    if (inode) mapped.set(id, memfdFile(inode));
  }
  return mapped;
}

/** The ids of files, pipes and connections in the names of their images are in hexadecimal. */
function numbered(images: ImageDirectory, pattern: RegExp): [name: string, number: number][] {
  return [...images.names].flatMap((name) => {
    const [, digits] = pattern.exec(name) ?? [];
    return digits === undefined ? [] : [[name, Number.parseInt(digits, 16)] as [string, number]];
  });
}

async function readGhosts(images: ImageDirectory): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  for (const [name, number] of numbered(images, /^ghost-file-([\da-f]+)\.img$/)) {
    const entries = await images.read(name, 'GHOST_FILE');
    const lengths = entries.map(({ payload }) => (payload as Payload | undefined)?.length ?? 0);
    sizes.set(
      number,
      lengths.reduce((sum, length) => sum + length, 0),
    );
  }
  return sizes;
}

async function readPipes(images: ImageDirectory): Promise<Map<number, number>> {
  const sizes = new Map<number, number>();
  const entries = [
    ...(await images.messages('pipes-data.img', 'PIPES_DATA')),
    ...(await images.messages('fifo-data.img', 'FIFO_DATA')),
  ];
  for (const { pipe_id: pipe, bytes } of entries) sizes.set(pipe, (sizes.get(pipe) ?? 0) + bytes);
  return sizes;
}

async function readQueues(images: ImageDirectory): Promise<Map<number, Queue>> {
  const queues = new Map<number, Queue>();
  for (const { id_for: id, length } of await images.messages('sk-queues.img', 'SK_QUEUES')) {
    const { messages, bytes } = queues.get(id) ?? { messages: 0, bytes: 0 };
    queues.set(id, { messages: messages + 1, bytes: bytes + length });
  }
  return queues;
}

async function readTcpQueues(images: ImageDirectory): Promise<Map<number, TcpQueueSizes>> {
  const queues = new Map<number, TcpQueueSizes>();
  for (const [name, inode] of numbered(images, /^tcp-stream-([\da-f]+)\.img$/)) {
    const { inq_len, outq_len } = await images.required(name, 'TCP_STREAM');
    queues.set(inode, { received: inq_len, unacknowledged: outq_len });
  }
  return queues;
}
