import { BadStream, type ByteInput } from './byte-input.ts';
import { BLOCK, padding, parseHeader, parsePax, type TarHeader } from './tar.ts';

/** A file of an archive, before its content. */
export interface ArchiveEntry {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** A comment on it. */
  readonly comment: string | undefined;
}

/** The largest set of pax records. */
const MAX_PAX = 1 << 16;
/** Larger than any name that CRIU gives to an image. */
const NAME = /^(?:\.\/)?([\w.-]{1,100})$/;

/**
 * Reads an archive of files without directories to its end.
 * @param read reads the content of a file, as many bytes as its size says
 * @throws BadStream if it is damaged, has anything else in it, or a name twice
 */
export async function readEntries(
  input: ByteInput,
  read: (entry: ArchiveEntry) => Promise<void>,
): Promise<void> {
  const names = new Set<string>();
  let records: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const header = parsed(input, parseHeader, await input.take(BLOCK));
    if (header === undefined) break;
    if (header.type === 'pax') {
      if (header.size > MAX_PAX) throw new BadStream('a pax header is too large', input.offset);
      records = parsed(input, parsePax, await input.take(header.size));
      await takeZeros(input, padding(header.size));
      continue;
    }
    const entry = entryOf(input, header, records);
    records = new Map();
    if (!entry) continue;
    if (names.has(entry.name)) throw new BadStream(`${entry.name} is in it twice`, input.offset);
    names.add(entry.name);
    await read(entry);
    await takeZeros(input, padding(entry.size));
  }
  // The second empty block, and what tar adds to it.
  await takeZeros(input, BLOCK);
  for (let left = await input.some(); left; left = await input.some()) {
    if (!isEmpty(left)) throw new BadStream('there is something behind its end', input.offset);
  }
}

/** The content of a file in pieces. */
export async function* contentOf(
  input: ByteInput,
  { size }: ArchiveEntry,
): AsyncGenerator<Buffer, void> {
  for (let left = size; left > 0; ) {
    const chunk = await input.upTo(left);
    left -= chunk.length;
    yield chunk;
  }
}

/** Parses bytes. @throws BadStream with what is wrong, after `name` */
export function parsed<T>(
  input: ByteInput,
  parse: (bytes: Buffer) => T,
  bytes: Buffer,
  name?: string,
): T {
  try {
    return parse(bytes);
  } catch (error) {
    const what = (error as Error).message;
    throw new BadStream(name === undefined ? what : `${name} ${what}`, input.offset);
  }
}

/** Undefined for the directory that the files are in. */
function entryOf(
  input: ByteInput,
  { type, name: path, size: plainSize }: TarHeader,
  records: ReadonlyMap<string, string>,
): ArchiveEntry | undefined {
  if (type === 'directory' && /^\.\/?$/.test(path)) return undefined;
  const name = NAME.exec(path)?.[1];
  if (type !== 'file' || name === undefined || name === '.' || name === '..') {
    throw new BadStream('it has an entry that is no image', input.offset);
  }
  const size = Number(records.get('size') ?? plainSize);
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new BadStream(`${name} has no valid size`, input.offset);
  }
  return { name, size, comment: records.get('comment') };
}

async function takeZeros(input: ByteInput, size: number): Promise<void> {
  if (isEmpty(await input.take(size))) return;
  throw new BadStream('it has bytes where only zeros can be', input.offset);
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
