import type { MemoryMatch, ProcessMemorySize } from '../images.ts';
import { formatBytes } from './quantities.ts';
import { styled } from './style.ts';
import { printable, table, tableOrParagraphs } from './text-layout.ts';

/** Bytes as text that a terminal only shows: what is not printable, or not UTF-8, as `\x1b`. */
export function printableBytes(bytes: Buffer): string {
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return printable(text);
  return printable(bytes.toString('latin1').replace(/[\x80-\xff]/g, escapedByte));
}

function escapedByte(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16)}`;
}

/** A line for a match: the process, the address, the mapping, and the bytes. */
export function formatMatch({ pid, address, mapping, before, bytes, after }: MemoryMatch): string {
  const found = styled('bold', printableBytes(bytes), process.stdout);
  const text = `${printableBytes(before)}${found}${printableBytes(after)}`;
  const name = mapping ? shownMapping(mapping) : '-';
  return `${pid}  ${addressOf(address)}  ${name}  ${text}\n`;
}

/** A match as properties for `--json`. */
export function matchProperties(match: MemoryMatch): object {
  const { pid, address, mapping, before, bytes, after } = match;
  const hex = { bytes: bytes.toString('hex'), text: printableBytes(bytes) };
  const context = { before: before.toString('hex'), after: after.toString('hex') };
  return {
    pid,
    address: `0x${address.toString(16)}`,
    ...hex,
    ...context,
    ...mappingProperties(mapping),
  };
}

function mappingProperties(mapping: MemoryMatch['mapping']): object {
  return mapping ? { mapping: withAddresses(mapping) } : {};
}

/** The processes, and how much memory each has. */
export function formatProcesses(processes: readonly ProcessMemorySize[]): string {
  const titles = ['PID', 'NAME', 'IN IMAGES', 'IN PARENTS', 'LAZY', 'SHARED', 'MAPPED'];
  const rows = processes.map(({ pid, name, ...sizes }) => [
    ...[String(pid), name === undefined ? '-' : printable(name)],
    ...[
      sizes.bytesStored,
      sizes.bytesInParents,
      sizes.bytesLazy,
      sizes.bytesShared,
      sizes.size,
    ].map(sizeOf),
  ]);
  return tableOrParagraphs(titles, rows);
}

/** The mappings of a process. */
export function formatMappings({ mappings }: ProcessMemorySize): string {
  const titles = ['ADDRESSES', 'PROTECTION', 'IN IMAGES', 'IN PARENTS', 'LAZY', 'SIZE', 'MAPPING'];
  const rows = mappings.map(({ start, end, protection, kind, path, ...sizes }) => [
    ...[`${start.toString(16)}-${end.toString(16)}`, protection],
    ...[sizes.bytesStored, sizes.bytesInParents, sizes.bytesLazy, sizes.size].map(sizeOf),
    shownMapping({ kind, path }),
  ]);
  return table([titles, ...rows]).join('\n');
}

/** The mapped files of a process. */
export function formatFiles({ files }: ProcessMemorySize): string {
  const titles = ['MAPPINGS', 'IN IMAGES', 'IN PARENTS', 'LAZY', 'SIZE', 'FILE'];
  const rows = files.map(({ path, mappings, ...sizes }) => [
    String(mappings),
    ...[sizes.bytesStored, sizes.bytesInParents, sizes.bytesLazy, sizes.size].map(sizeOf),
    printable(path),
  ]);
  return table([titles, ...rows]).join('\n');
}

/** The sizes of a process for `--json`, with addresses in hexadecimal. */
export function sizeProperties({ mappings, ...process }: ProcessMemorySize): object {
  return { ...process, mappings: mappings.map(withAddresses) };
}

function withAddresses<T extends { start: bigint; end: bigint; offset: bigint }>(
  mapping: T,
): object {
  const { start, end, offset, ...others } = mapping;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return { start: hex(start), end: hex(end), offset: Number(offset), ...others };
}

function shownMapping({
  kind,
  path,
}: {
  readonly kind: string;
  readonly path: string | undefined;
}) {
  return path === undefined ? `[${kind}]` : printable(path);
}

function addressOf(address: bigint): string {
  return address.toString(16).padStart(16, '0');
}

function sizeOf(bytes: number): string {
  return bytes === 0 ? '-' : formatBytes(bytes);
}
