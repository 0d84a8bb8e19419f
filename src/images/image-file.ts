import { readFile } from 'node:fs/promises';

/** What most image files begin with; the inventory tells whether they do, and does not itself. */
const COMMON_MAGIC = 0x54564319;

/** The number after it, by the beginning of the name: what kind of image it is. */
const magics: Readonly<Record<string, number>> = {
  core: 0x55053847,
  inventory: 0x58313116,
  mm: 0x57492820,
  pagemap: 0x56084025,
  pstree: 0x50273030,
};

/** Why a file is not the image that its name says. */
export class BadImage extends Error {}

/**
 * Reads the entries of an image file, which are messages, each behind its length.
 * @throws BadImage with the reason, in words that follow the name of the file
 */
export async function entriesOf(path: string): Promise<Uint8Array[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new BadImage(error.code === 'ENOENT' ? 'is missing' : `cannot be read: ${error.message}`);
  });
  const [kind = ''] = path.slice(path.lastIndexOf('/') + 1).split(/[-.]/);
  const header = kind === 'inventory' ? [magics[kind]] : [COMMON_MAGIC, magics[kind]];
  const size = 4 * header.length;
  if (bytes.length < size) throw new BadImage(`has only ${bytes.length} bytes`);
  if (header.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
    throw new BadImage(`is no ${kind} image of CRIU`);
  }
  const entries: Uint8Array[] = [];
  for (let at = size; at < bytes.length; ) {
    const start = at + 4;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(at) : start;
    if (end > bytes.length) throw new BadImage(`ends after ${bytes.length} bytes, in an entry`);
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  if (entries.length === 0) throw new BadImage('has no entry');
  return entries;
}
