import { readFile } from 'node:fs/promises';
import { headerOf, type ImageKind } from './image-kinds.ts';

/** The kinds of the images that the library reads as a whole, by the first part of the file's name. */
const kinds: Readonly<Record<string, ImageKind>> = {
  cgroup: 'CGROUP',
  core: 'CORE',
  fdinfo: 'FDINFO',
  filelocks: 'FILE_LOCKS',
  files: 'FILES',
  fs: 'FS',
  ids: 'IDS',
  inventory: 'INVENTORY',
  mm: 'MM',
  mountpoints: 'MNTS',
  pagemap: 'PAGEMAP',
  pstree: 'PSTREE',
  remap: 'REMAP_FPATH',
  tty: 'TTY_INFO',
};

/** A file is missing, or is not the image that its name says. The message follows the name of the file. */
export class BadImage extends Error {
  /** True if the file does not exist. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }
}

/**
 * Reads the entries of an image file: encoded messages, each preceded by its length.
 * @throws BadImage
 */
export async function entriesOf(path: string): Promise<Uint8Array[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new BadImage('is missing', true);
    throw new BadImage(`cannot be read: ${error.message}`);
  });
  const [name = ''] = path.slice(path.lastIndexOf('/') + 1).split(/[-.]/);
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`no kind is known for ${path}`);
  const header = headerOf(kind);
  const size = 4 * header.length;
  if (bytes.length < size) throw new BadImage(`has only ${bytes.length} bytes`);
  if (header.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
    throw new BadImage(`is not a CRIU ${name} image`);
  }
  const entries: Uint8Array[] = [];
  for (let at = size; at < bytes.length; ) {
    const start = at + 4;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(at) : start;
    if (end > bytes.length)
      throw new BadImage(`is truncated: it ends after ${bytes.length} bytes, within an entry`);
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  if (entries.length === 0) throw new BadImage('has no entries');
  return entries;
}

/** The content of an image file, from its encoded entries. */
export function imageOf(kind: ImageKind, entries: readonly Uint8Array[]): Buffer {
  const pieces: Uint8Array[] = [headerBytes(kind)];
  for (const entry of entries) pieces.push(wordBytes(entry.length), entry);
  return Buffer.concat(pieces);
}

/** The beginning of an image file. */
export function headerBytes(kind: ImageKind): Buffer {
  return Buffer.concat(headerOf(kind).map(wordBytes));
}

/** A word of the header, or the length of an entry. */
export function wordBytes(word: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(word);
  return bytes;
}
