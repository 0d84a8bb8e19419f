// Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md

const MIN_MATCH = 4;
/** A length in a token that further bytes add to. */
const MORE = 15;

/**
 * Decompresses a block of LZ4.
 * @param size the number of bytes that it must give
 * @throws Error if it is damaged
 */
export function decompressBlock(block: Uint8Array, size: number): Buffer {
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  let filled = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new Error('the block ends too early');
    return value;
  };
  const length = (low: number): number => {
    if (low < MORE) return low;
    let sum = low;
    for (;;) {
      const value = byte();
      sum += value;
      if (value < 255) return sum;
    }
  };
  for (;;) {
    const token = byte();
    const literals = length(token >>> 4);
    if (at + literals > block.length || filled + literals > size) {
      throw new Error('the block has too many literals');
    }
    out.set(block.subarray(at, at + literals), filled);
    at += literals;
    filled += literals;
    // The last sequence has no match.
    if (at === block.length) break;
    const distance = byte() | (byte() << 8);
    const matched = length(token & 15) + MIN_MATCH;
    if (distance === 0 || distance > filled || filled + matched > size) {
      throw new Error('the block refers to bytes that it does not have');
    }
    copyMatch(out, filled, distance, matched);
    filled += matched;
  }
  if (filled !== size) throw new Error(`the block gives ${filled} of ${size} bytes`);
  return out;
}

/** Repeats bytes that were written; the match may overlap what it writes. */
function copyMatch(out: Buffer, to: number, distance: number, length: number): void {
  const from = to - distance;
  if (distance >= length) {
    out.copyWithin(to, from, from + length);
    return;
  }
  for (let index = 0; index < length; index++) out[to + index] = out[from + index] as number;
}
