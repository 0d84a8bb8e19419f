import { BLOCK, padding } from '../../stream/tar.ts';

/** The kinds of entries that a tar archive of files has. */
export type TarEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'link'
  | 'character'
  | 'block'
  | 'fifo';

/** An entry of a tar archive. Names are bytes that need not be UTF-8, one byte a character (latin1). */
export interface TarEntry {
  readonly type: TarEntryType;
  readonly path: string;
  /** What a symbolic link contains, or the path of the entry that a hard link is another name of. */
  readonly target: string;
  /** Permissions, with the bits for set-user-ID and others. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file; 0 for the others. */
  readonly size: number;
  /** In milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly major: number;
  readonly minor: number;
  readonly attributes: ReadonlyMap<string, Buffer>;
}

/** What describes the entry after it: a pax header for one entry or for all, or a long name of GNU tar. */
export type TarExtension = 'pax' | 'global' | 'long-path' | 'long-target';

/** The records of pax headers, which replace fields of the header after them. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const TYPES: ReadonlyMap<string, TarEntryType> = new Map([
  ['0', 'file'],
  ['\0', 'file'],
  ['7', 'file'],
  ['1', 'link'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);
const EXTENSIONS: ReadonlyMap<string, TarExtension> = new Map([
  ['x', 'pax'],
  ['g', 'global'],
  ['L', 'long-path'],
  ['K', 'long-target'],
]);
const FLAGS = new Map([...TYPES].reverse().map(([flag, type]) => [type, flag]));
/** Where pax headers have extended attributes. Source: star(1), and GNU tar's --xattrs. */
const ATTRIBUTE = 'SCHILY.xattr.';
const MAX_ID = 8 ** 7 - 1;
const MAX_SIZE = 8 ** 11 - 1;

/**
 * Reads a header of ustar, pax or GNU tar; undefined for an empty block, which ends an archive.
 * @throws Error if it is damaged, or of a kind that archives of files do not have
 */
export function parseEntryHeader(
  block: Buffer,
  records: PaxRecords,
): TarEntry | { readonly type: TarExtension; readonly size: number } | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (number(block, 148, 8) !== checksumOf(block)) throw new Error('a header is damaged');
  const magic = block.toString('latin1', 257, 263);
  if (magic !== 'ustar\0' && magic !== 'ustar ') throw new Error('a header is not of ustar');
  const flag = String.fromCharCode(block[156] ?? 0);
  const extension = EXTENSIONS.get(flag);
  const size = decimal(records, 'size') ?? number(block, 124, 12);
  if (extension !== undefined) return { type: extension, size: number(block, 124, 12) };
  const type = TYPES.get(flag);
  if (type === undefined) throw new Error(`an entry has the unknown type ${JSON.stringify(flag)}`);
  const isDevice = type === 'character' || type === 'block';
  return {
    type: type === 'file' && pathIn(block, records).endsWith('/') ? 'directory' : type,
    path: pathIn(block, records),
    target: text(records, 'linkpath') ?? field(block, 157, 100),
    mode: number(block, 100, 8) & 0o7777,
    uid: id(decimal(records, 'uid') ?? number(block, 108, 8)),
    gid: id(decimal(records, 'gid') ?? number(block, 116, 8)),
    // Some writers give the size of what a hard link leads to, without its content.
    size: type === 'file' ? size : 0,
    modifiedMs: timeIn(records) ?? number(block, 136, 12) * 1000,
    major: isDevice ? number(block, 329, 8) : 0,
    minor: isDevice ? number(block, 337, 8) : 0,
    attributes: attributesIn(records),
  };
}

/** The records of a pax header. @throws Error if it is damaged */
export function parsePaxRecords(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const digits = /^(\d{1,8}) /.exec(bytes.toString('latin1', at, at + 9))?.[1] ?? '';
    const end = at + Number(digits);
    const equals = bytes.indexOf('=', at);
    const isWhole = end <= bytes.length && equals > 0 && equals < end && bytes[end - 1] === 0x0a;
    if (digits === '' || !isWhole) throw new Error('a pax header is damaged');
    const key = bytes.toString('latin1', at + digits.length + 1, equals);
    found.set(key, Buffer.from(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return found;
}

/** The header of an entry, preceded by a pax header for what does not fit into it. */
export function encodeEntryHeader(entry: TarEntry): Buffer {
  const { type, path, target, uid, gid, size, modifiedMs, attributes } = entry;
  const records = [...attributes].map(([name, value]) => record(`${ATTRIBUTE}${name}`, value));
  const add = (key: string, value: string) =>
    records.push(record(key, Buffer.from(value, 'latin1')));
  if (path.length > 100) add('path', path);
  if (target.length > 100) add('linkpath', target);
  if (uid > MAX_ID) add('uid', String(uid));
  if (gid > MAX_ID) add('gid', String(gid));
  if (size > MAX_SIZE) add('size', String(size));
  if (modifiedMs % 1000 !== 0) add('mtime', (modifiedMs / 1000).toFixed(3));
  const flag = FLAGS.get(type) ?? '0';
  if (records.length === 0) return block(entry, flag);
  const extension = Buffer.concat(records);
  const name = `PaxHeaders/${path.split('/').at(-1)}`;
  const pax = block({ ...PLAIN, path: name, size: extension.length }, 'x');
  return Buffer.concat([
    ...[pax, extension, Buffer.alloc(padding(extension.length))],
    block(entry, flag),
  ]);
}

/** A file of root without anything else. */
export const PLAIN: TarEntry = {
  ...{ type: 'file', path: '', target: '', mode: 0o600, uid: 0, gid: 0 },
  ...{ size: 0, modifiedMs: 0, major: 0, minor: 0, attributes: new Map() },
};

function block(entry: TarEntry, flag: string): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    bytes.write(
      (value < 8 ** digits ? Math.max(0, Math.floor(value)) : 0).toString(8).padStart(digits, '0'),
      ...([at, 'latin1'] as const),
    );
  bytes.write(entry.path.slice(0, 100), 0, 'latin1');
  octal(entry.mode, 100, 7);
  octal(entry.uid, 108, 7);
  octal(entry.gid, 116, 7);
  octal(entry.size, 124, 11);
  octal(entry.modifiedMs / 1000, 136, 11);
  bytes.write(flag, 156, 'latin1');
  bytes.write(entry.target.slice(0, 100), 157, 'latin1');
  bytes.write('ustar\x0000', 257, 'latin1');
  octal(entry.major, 329, 7);
  octal(entry.minor, 337, 7);
  bytes.write(`${checksumOf(bytes).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** A record begins with its own length. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function pathIn(block: Buffer, records: PaxRecords): string {
  const long = text(records, 'path');
  if (long !== undefined) return long;
  const name = field(block, 0, 100);
  // GNU tar has other fields in the place of the prefix.
  const prefix = block[263] === 0x30 ? field(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function attributesIn(records: PaxRecords): Map<string, Buffer> {
  const found = [...records].filter(([key]) => key.startsWith(ATTRIBUTE));
  return new Map(found.map(([key, value]) => [key.slice(ATTRIBUTE.length), value]));
}

function timeIn(records: PaxRecords): number | undefined {
  const seconds = text(records, 'mtime');
  if (seconds === undefined) return undefined;
  if (!/^-?\d{1,12}(\.\d*)?$/.test(seconds)) throw new Error('a pax header has no valid mtime');
  return Number(seconds) * 1000;
}

function decimal(records: PaxRecords, key: string): number | undefined {
  const digits = text(records, key);
  if (digits === undefined) return undefined;
  const value = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(value)) {
    throw new Error(`a pax header has no valid ${key}`);
  }
  return value;
}

/** The largest number of 32 bits means no id to chown(2). */
function id(value: number): number {
  if (value < 0xffff_ffff) return value;
  throw new Error('an entry has no valid owner');
}

function text(records: PaxRecords, key: string): string | undefined {
  return records.get(key)?.toString('latin1');
}

/** The sum of all bytes, those of the field itself counted as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 0x20 * 8;
  for (let index = 0; index < BLOCK; index++) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}

/** Numbers are octal; those of GNU tar that do not fit are binary, and begin with a byte of 0x80. */
function number(block: Buffer, at: number, length: number): number {
  if (block[at] === 0x80) {
    const value = block.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(value)) throw new Error('a header has a number that is too large');
    return value;
  }
  const octal = block.toString('latin1', at, at + length);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(octal)?.[1];
  if (digits === undefined) throw new Error('a header has a number that is not octal');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function field(block: Buffer, at: number, length: number): string {
  const end = block.subarray(at, at + length).indexOf(0);
  return block.toString('latin1', at, end < 0 ? at + length : at + end);
}
