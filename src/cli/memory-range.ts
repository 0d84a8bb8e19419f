import { InvalidArgumentError } from 'commander';
import type { MemoryPiece } from '../images.ts';
import { bytes } from './quantities.ts';

const ZEROS = Buffer.alloc(64 * 1024);

/** Addresses. */
export interface MemoryRange {
  readonly start: bigint;
  readonly end: bigint;
  /** The number of bytes; undefined for all addresses. */
  readonly length: bigint | undefined;
}

/** Parses `START-END` and `START+SIZE`, with addresses in hexadecimal, and `all`. */
export function memoryRange(text: string): MemoryRange {
  if (text === 'all') return { start: 0n, end: 1n << 64n, length: undefined };
  const [, from = '', to, size] =
    /^(?:0x)?([\da-f]{1,16})(?:-(?:0x)?([\da-f]{1,16})|\+(.+))$/i.exec(text) ?? [];
  const start = BigInt(`0x${from || '0'}`);
  const end = to === undefined ? start + BigInt(bytes(size ?? '0')) : BigInt(`0x${to}`);
  if (from === '' || end <= start || end > 1n << 64n) {
    throw new InvalidArgumentError('Give a range such as 7ffd1000-7ffd2000, 7ffd1000+256 or all.');
  }
  return { start, end, length: end - start };
}

/** The parts of whole pages that are in a range. */
export async function* piecesWithin(
  pieces: AsyncIterable<MemoryPiece>,
  { start, end }: MemoryRange,
): AsyncIterable<MemoryPiece> {
  for await (const { address, bytes: all } of pieces) {
    const from = address < start ? Number(start - address) : 0;
    const to = address + BigInt(all.length) > end ? Number(end - address) : all.length;
    if (from < to) yield { address: address + BigInt(from), bytes: all.subarray(from, to) };
  }
}

/** The bytes of a range, with zeros where there are no pieces. */
export async function* rawBytes(
  pieces: AsyncIterable<MemoryPiece>,
  { start, end }: MemoryRange,
): AsyncIterable<Buffer> {
  let at = start;
  for await (const { address, bytes: piece } of pieces) {
    yield* zeros(address - at);
    yield piece;
    at = address + BigInt(piece.length);
  }
  yield* zeros(end - at);
}

function* zeros(count: bigint): Iterable<Buffer> {
  for (let left = count; left > 0n; left -= BigInt(ZEROS.length)) {
    yield left < BigInt(ZEROS.length) ? ZEROS.subarray(0, Number(left)) : ZEROS;
  }
}
