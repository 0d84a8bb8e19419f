/** The size of a header, and the unit in which content is written. */
export const BLOCK = 512;
/** The largest size that fits into the field of a header. */
const MAX_PLAIN_SIZE = 8 ** 11 - 1;
const FIELDS = { name: [0, 100], size: [124, 12], checksum: [148, 8], prefix: [345, 155] } as const;
const REGULAR: ReadonlySet<string> = new Set(['0', '\0']);

/** The header of an entry. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** `file`, `directory`, `pax` for records about the entry after it, or undefined for any other type. */
  readonly type: 'file' | 'directory' | 'pax' | undefined;
}

/**
 * The header of a file, readable only by its owner: ustar, preceded by a pax header if the size does not fit
 * into it. Source: POSIX.1-2001, pax interchange format.
 */
export function fileHeader(name: string, size: number, modified: number): Buffer {
  if (size <= MAX_PLAIN_SIZE) return header(name, size, modified, '0');
  const pax = paxHeader(name, 'size', String(size), modified);
  return Buffer.concat([pax, header(name, 0, modified, '0')]);
}

/** A comment on the file whose header follows, which tar ignores. */
export function commentHeader(name: string, comment: string, modified: number): Buffer {
  return paxHeader(name, 'comment', comment, modified);
}

/** How many zeros follow content of this size. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The two empty blocks at the end of an archive. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * BLOCK);

/**
 * Reads a header; undefined for an empty block, which ends an archive.
 * @throws Error if it is damaged
 */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const [at, length] = FIELDS.checksum;
  if (octal(block, at, length) !== checksumOf(block)) throw new Error('a header is damaged');
  if (block.toString('latin1', 257, 262) !== 'ustar') throw new Error('a header is not of ustar');
  const flag = String.fromCharCode(block[156] ?? 0);
  const prefix = block[263] === 0x20 ? '' : text(block, ...FIELDS.prefix);
  const name = text(block, ...FIELDS.name);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: sizeIn(block),
    type: REGULAR.has(flag)
      ? 'file'
      : flag === '5'
        ? 'directory'
        : flag === 'x'
          ? 'pax'
          : undefined,
  };
}

/** The keys of pax headers, but for those of its vendors. Source: POSIX.1-2001, tar(5). */
const PAX_KEY =
  /^(atime|comment|ctime|gid|gname|hdrcharset|linkpath|mtime|path|size|uid|uname|[A-Z]{3,}\..+)$/;

/** The records of a pax header. @throws Error if it is damaged */
export function parsePax(records: Buffer): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < records.length; ) {
    const digits = /^(\d{1,5}) /.exec(records.toString('latin1', at, at + 6))?.[1];
    const end = at + Number(digits ?? Number.NaN);
    const [, key, value] =
      /^\d+ ([^=]+)=(.*)\n$/s.exec(records.toString('utf8', at, Math.min(end, records.length))) ??
      [];
    if (key === undefined || !PAX_KEY.test(key) || value === undefined || end > records.length) {
      throw new Error('a pax header is damaged');
    }
    found.set(key, value);
    at = end;
  }
  return found;
}

function header(name: string, size: number, modified: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'utf8');
  const number = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  number(0o600, 100, 7);
  number(0, 108, 7);
  number(0, 116, 7);
  number(size, 124, 11);
  number(Math.floor(modified / 1000), 136, 11);
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265, 'latin1');
  block.write('root', 297, 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** The sum of all bytes, those of the field itself counted as spaces. */
function checksumOf(block: Buffer): number {
  const [at, length] = FIELDS.checksum;
  let sum = 0x20 * length;
  for (let index = 0; index < BLOCK; index++) {
    if (index < at || index >= at + length) sum += block[index] ?? 0;
  }
  return sum;
}

/** GNU tar writes a size that does not fit as a binary number, which begins with the byte 0x80. */
function sizeIn(block: Buffer): number {
  const [at, length] = FIELDS.size;
  if (block[at] !== 0x80) return octal(block, at, length);
  const size = Number(block.readBigUInt64BE(at + 4));
  if (block.readUInt32BE(at) !== 0x80000000 || !Number.isSafeInteger(size)) {
    throw new Error('a header has a size that is too large');
  }
  return size;
}

function octal(block: Buffer, at: number, length: number): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', at, at + length))?.[1];
  if (digits === undefined) throw new Error('a header has a number that is not octal');
  return Number.parseInt(digits, 8);
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end < 0 ? at + length : Math.min(end, at + length));
}

function paxHeader(name: string, key: string, value: string, modified: number): Buffer {
  const record = paxRecord(key, value);
  const head = header(`PaxHeaders/${name}`.slice(0, 100), record.length, modified, 'x');
  return Buffer.concat([head, record, Buffer.alloc(padding(record.length))]);
}

/** A record begins with its own length. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return Buffer.from(`${length}${rest}`);
}
