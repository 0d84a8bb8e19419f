import type { ProcessMemory } from './process-memory.ts';

/** How much memory is searched at once, in bytes. */
const WINDOW = 4 * 1024 * 1024;

/** Consecutive bytes of memory, of which a part was in the window before. */
export interface SearchWindow {
  /** The bytes, which the next window overwrites. */
  readonly bytes: Buffer;
  /** The address of the first byte. */
  readonly address: bigint;
  /** Where the next match may begin; whoever searches the window moves it past `last`. */
  next: number;
  /** The last index at which a match may begin; the next window has those that begin after it. */
  readonly last: number;
}

/** What is searched. */
export interface SearchRange {
  readonly start: bigint;
  readonly end: bigint;
  /** How many bytes must follow the beginning of a match, if the memory has them. */
  readonly ahead: number;
  /** How many bytes must precede it. */
  readonly behind: number;
}

/** The memory of a process in windows that overlap, so that each match is in one of them as a whole. */
export async function* searchWindows(
  memory: ProcessMemory,
  { start, end, ahead, behind }: SearchRange,
): AsyncIterable<SearchWindow> {
  const buffer = Buffer.allocUnsafe(WINDOW + ahead + behind);
  let address = start;
  let filled = 0;
  let next = 0;
  for await (const extent of memory.extents(start, end)) {
    if (!extent.isPresent) continue;
    const from = extent.start > start ? extent.start : start;
    const to = extent.end < end ? extent.end : end;
    if (from !== address + BigInt(filled)) {
      yield* windowOf(filled - 1);
      [address, filled, next] = [from, 0, 0];
    }
    for (let at = from; at < to; ) {
      const length = Math.min(buffer.length - filled, Number(to - at));
      await extent.fill(buffer.subarray(filled, filled + length), at);
      filled += length;
      at += BigInt(length);
      if (filled === buffer.length) {
        yield* windowOf(filled - ahead);
        keep(next - behind);
      }
    }
  }
  yield* windowOf(filled - 1);

  function* windowOf(last: number): Iterable<SearchWindow> {
    if (next > last) return;
    const window = { bytes: buffer.subarray(0, filled), address, next, last };
    yield window;
    next = window.next;
  }

  /** Moves the bytes from an index on to the beginning. */
  function keep(from: number): void {
    if (from <= 0) return;
    buffer.copyWithin(0, from, filled);
    address += BigInt(from);
    filled -= from;
    next -= from;
  }
}
