import type { MemoryPiece } from './memory-level.ts';

/** The bytes of a row. */
const ROW = 16;
/** How much text is given at once, in characters. */
const CHUNK = 64 * 1024;

/**
 * Shows memory as `hexdump -C` does, with addresses of 16 digits: 16 bytes in a row, in hexadecimal and as ASCII. A row
 * with only `*` stands for rows that repeat the one before; if they are the last ones, the address after them follows.
 * @param pieces what {@link readMemory} gives
 * @returns whole lines, several at once
 */
export async function* hexdump(
  pieces: Iterable<MemoryPiece> | AsyncIterable<MemoryPiece>,
): AsyncGenerator<string, void, undefined> {
  let text = '';
  let next: bigint | undefined;
  let before: Buffer | undefined;
  let isRepeated = false;
  for await (const { address, bytes } of pieces) {
    if (address !== next) {
      if (isRepeated) text += lineOf(next as bigint);
      before = undefined;
      isRepeated = false;
    }
    for (let at = 0; at < bytes.length; at += ROW) {
      const row = bytes.subarray(at, at + ROW);
      const repeats = before !== undefined && row.equals(before);
      if (!repeats) text += rowOf(address + BigInt(at), row);
      else if (!isRepeated) text += '*\n';
      isRepeated = repeats;
      before = row;
      if (text.length < CHUNK) continue;
      yield text;
      text = '';
    }
    next = address + BigInt(bytes.length);
  }
  if (isRepeated) text += lineOf(next as bigint);
  if (text !== '') yield text;
}

/** The address after rows that are not shown. */
function lineOf(address: bigint): string {
  return `${address.toString(16).padStart(16, '0')}\n`;
}

function rowOf(address: bigint, row: Buffer): string {
  const hex = row.toString('hex').replace(/../g, '$& ');
  const half = `${hex.slice(0, 24)} ${hex.slice(24)}`.padEnd(49);
  const ascii = row.toString('latin1').replace(/[^ -~]/g, '.');
  return `${address.toString(16).padStart(16, '0')}  ${half} |${ascii}|\n`;
}
