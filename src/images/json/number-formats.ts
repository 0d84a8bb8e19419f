import { isIP, isIPv4 } from 'node:net';
import { addressBytes } from '../../netlink/ip-address.ts';
import type { FieldFormat } from '../../protobuf/message-type.ts';
import { flagTables, nameTables } from './field-tables.ts';

/** How the kernel splits a device number. */
const KERNEL_MINOR_BITS = 20n;

/** A number as crit shows it in its readable form: text, or the number itself. */
export function shownNumber(
  name: string,
  format: FieldFormat | undefined,
  value: number | bigint,
): string | number | bigint {
  if (format?.hex) return `0x${value.toString(16)}`;
  if (format?.dev) return shownDevice(BigInt(value), format.odev === true);
  if (format?.flags) return shownFlags(format.flags, Number(value));
  const names = nameTables[format?.dict ?? '']?.[name] ?? {};
  return Object.keys(names).find((key) => names[key] === Number(value)) ?? value;
}

/** Reads what {@link shownNumber} gives, or a number in text. @throws TypeError if it is none */
export function parsedNumber(
  name: string,
  format: FieldFormat | undefined,
  text: string,
): number | bigint {
  const [, major, minor] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (format?.dev && major !== undefined && minor !== undefined) {
    return deviceOf(BigInt(major), BigInt(minor), format.odev === true);
  }
  const table = flagTables[format?.flags ?? ''];
  if (table) return flagsOf(table, text);
  const named = nameTables[format?.dict ?? '']?.[name]?.[text];
  return named ?? integer(text);
}

/** The text of an IP address from its words in network byte order; undefined if their number fits none. */
export function shownAddress(words: readonly number[]): string | undefined {
  const bytes = Buffer.alloc(4 * words.length);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 4 * index);
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  if (/^0{20}f{4}/.test(bytes.toString('hex'))) return `::ffff:${bytes.subarray(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(2 * index).toString(16),
  );
  // A URL abbreviates the longest run of zeros.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The words of an IP address. @throws TypeError if the text is none */
export function wordsOfAddress(text: string): number[] {
  if (isIP(text) === 0) throw new TypeError('is not an IP address');
  const bytes = addressBytes(text);
  const words = isIPv4(text) ? 1 : 4;
  return Array.from({ length: words }, (_, index) => bytes.readUInt32LE(4 * index));
}

function shownFlags(tableName: string, value: number): string {
  const table = flagTables[tableName] ?? {};
  let rest = value;
  const names: string[] = [];
  for (const [name, bits] of Object.entries(table)) {
    if ((value & bits) !== 0) names.push(name);
    rest &= ~bits;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join(' | ');
}

/** Adds bits rather than combining them, as crit does. */
function flagsOf(table: Readonly<Record<string, number>>, text: string): number | bigint {
  if (text === '') return 0;
  const names = text.split('|').map((name) => name.trim());
  return names.reduce((sum, name) => sum + Number(table[name] ?? integer(name)), 0);
}

function integer(text: string): bigint {
  if (!/^-?(\d+|0x[\da-fA-F]+)$/.test(text)) throw new TypeError('is not a number');
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** @param isUsers whether it is split as in user space: 12 bits for small majors, 8 for small minors */
function shownDevice(value: bigint, isUsers: boolean): string {
  if (!isUsers) return `${value >> KERNEL_MINOR_BITS}:${value & ((1n << KERNEL_MINOR_BITS) - 1n)}`;
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function deviceOf(major: bigint, minor: bigint, isUsers: boolean): bigint {
  if (!isUsers) return (major << KERNEL_MINOR_BITS) | minor;
  const majorBits = ((major & 0xfffn) << 8n) | ((major & ~0xfffn) << 32n);
  return majorBits | (minor & 0xffn) | ((minor & ~0xffn) << 12n);
}
