import type { MemoryPiece } from '../memory/memory-level.ts';
import type { PageCounts } from './checkpoint-difference.ts';

/** What is known of consecutive pages. */
export type PageOutcome = keyof PageCounts;

/**
 * Compares two memories page by page, in the order of addresses. It holds one piece of each.
 * @param report called with consecutive pages of one outcome
 */
export async function comparePages(
  before: AsyncIterable<MemoryPiece>,
  after: AsyncIterable<MemoryPiece>,
  pageSize: number,
  report: (outcome: PageOutcome, start: bigint, pages: number) => void,
): Promise<void> {
  const old = new PieceReader(before);
  const now = new PieceReader(after);
  try {
    for (;;) {
      const [one, other] = await Promise.all([old.piece(), now.piece()]);
      if (!one && !other) return;
      if (one && (!other || one.address < other.address)) {
        const length = lengthBefore(one, other);
        report('pagesRemoved', one.address, length / pageSize);
        old.take(length);
      } else if (other && (!one || other.address < one.address)) {
        const length = lengthBefore(other, one);
        report('pagesAdded', other.address, length / pageSize);
        now.take(length);
      } else if (one && other) {
        const length = Math.min(one.bytes.length, other.bytes.length);
        compareBytes(one.bytes, other.bytes, length, pageSize, (outcome, at, pages) => {
          report(outcome, one.address + BigInt(at), pages);
        });
        old.take(length);
        now.take(length);
      }
    }
  } finally {
    await Promise.all([old.close(), now.close()]);
  }
}

/** Reads pieces, of which a part may be taken. */
class PieceReader {
  readonly #pieces: AsyncIterator<MemoryPiece, void>;
  #rest: MemoryPiece | undefined;

  constructor(pieces: AsyncIterable<MemoryPiece>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** What was not taken yet; undefined at the end. */
  async piece(): Promise<MemoryPiece | undefined> {
    this.#rest ??= (await this.#pieces.next()).value ?? undefined;
    return this.#rest;
  }

  take(length: number): void {
    const { address, bytes } = this.#rest as MemoryPiece;
    const isLast = length === bytes.length;
    this.#rest = isLast
      ? undefined
      : { address: address + BigInt(length), bytes: bytes.subarray(length) };
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/** How many bytes of a piece are before another piece. */
function lengthBefore({ address, bytes }: MemoryPiece, other: MemoryPiece | undefined): number {
  if (!other || other.address >= address + BigInt(bytes.length)) return bytes.length;
  return Number(other.address - address);
}

/** Compares all bytes at once, and single pages only where they differ. */
function compareBytes(
  one: Buffer,
  other: Buffer,
  length: number,
  pageSize: number,
  report: (outcome: PageOutcome, at: number, pages: number) => void,
): void {
  const isEqual = (start: number, end: number) => one.compare(other, start, end, start, end) === 0;
  if (isEqual(0, length)) {
    report('pagesEqual', 0, length / pageSize);
    return;
  }
  for (let at = 0; at < length; at += pageSize) {
    report(isEqual(at, at + pageSize) ? 'pagesEqual' : 'pagesChanged', at, 1);
  }
}
