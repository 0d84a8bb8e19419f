import { readFile } from 'node:fs/promises';

/** The first word of image files, except of the inventory, which says that the others have it. */
const COMMON_MAGIC = 0x54564319;

/** The word after it, by the first part of the file's name: the kind of image. */
const magics: Readonly<Record<string, number>> = {
  cgroup: 0x59383330,
  core: 0x55053847,
  fdinfo: 0x56213732,
  filelocks: 0x54323616,
  files: 0x56303138,
  fs: 0x51403912,
  ids: 0x54432030,
  inventory: 0x58313116,
  mm: 0x57492820,
  mountpoints: 0x55563928,
  pagemap: 0x56084025,
  pstree: 0x50273030,
  remap: 0x59133954,
  tty: 0x59453036,
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
  const [kind = ''] = path.slice(path.lastIndexOf('/') + 1).split(/[-.]/);
  const header = headerOf(kind);
  const size = 4 * header.length;
  if (bytes.length < size) throw new BadImage(`has only ${bytes.length} bytes`);
  if (header.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
    throw new BadImage(`is not a CRIU ${kind} image`);
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
export function imageOf(kind: string, entries: readonly Uint8Array[]): Buffer {
  const words = headerOf(kind);
  const header = Buffer.alloc(4 * words.length);
  for (const [index, word] of words.entries()) header.writeUInt32LE(word ?? 0, 4 * index);
  const pieces: Uint8Array[] = [header];
  for (const entry of entries) {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(entry.length);
    pieces.push(size, entry);
  }
  return Buffer.concat(pieces);
}

function headerOf(kind: string): (number | undefined)[] {
  return kind === 'inventory' ? [magics[kind]] : [COMMON_MAGIC, magics[kind]];
}
