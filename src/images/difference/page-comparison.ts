import type { MemoryExtent } from '../memory/memory-chain.ts';
import type { PageCounts } from './checkpoint-difference.ts';

/** How many bytes are compared at once. */
const PIECE = 1024 * 1024;

/** What is known of consecutive pages. */
export type PageOutcome = keyof PageCounts;

/** Called with consecutive pages of one outcome, in the order of addresses. */
export type ReportPages = (outcome: PageOutcome, start: bigint, pages: number) => void;

/** What is compared of an extent: {@link MemoryExtent} without the rest. */
export type ComparedExtent = Pick<MemoryExtent, 'start' | 'end' | 'isPresent' | 'fill'> & {
  readonly level: { readonly path: string };
  readonly fileOffset: number | undefined;
};

/**
 * Compares two memories page by page. It reads only the pages that both have, and not those that both have in the same
 * place of the same file, as the rounds of one chain do. It holds one piece of each.
 */
export async function comparePages(
  before: AsyncIterable<ComparedExtent>,
  after: AsyncIterable<ComparedExtent>,
  pageSize: number,
  report: ReportPages,
): Promise<void> {
  const old = new ExtentReader(before);
  const now = new ExtentReader(after);
  const comparison = new PieceComparison(pageSize, report);
  const pages = (start: bigint, end: bigint) => Number(end - start) / pageSize;
  try {
    for (;;) {
      const [one, other] = await Promise.all([old.rest(), now.rest()]);
      if (one && (!other || one.start < other.start)) {
        const end = endBefore(one, other);
        report('pagesRemoved', one.start, pages(one.start, end));
        old.take(end);
      } else if (other && (!one || other.start < one.start)) {
        const end = endBefore(other, one);
        report('pagesAdded', other.start, pages(other.start, end));
        now.take(end);
      } else if (one && other) {
        const { start } = one;
        const end = one.end < other.end ? one.end : other.end;
        if (isSamePlace(one, other, start)) report('pagesEqual', start, pages(start, end));
        else await comparison.compare(one.extent, other.extent, start, end);
        old.take(end);
        now.take(end);
      } else return;
    }
  } finally {
    await Promise.all([old.close(), now.close()]);
  }
}

/** What is left of an extent. */
interface Rest {
  readonly extent: ComparedExtent;
  readonly start: bigint;
  readonly end: bigint;
}

/** Reads the extents with pages, of which a part may be taken. */
class ExtentReader {
  readonly #extents: AsyncIterator<ComparedExtent, void>;
  #rest: Rest | undefined;

  constructor(extents: AsyncIterable<ComparedExtent>) {
    this.#extents = extents[Symbol.asyncIterator]();
  }

  /** What was not taken yet; undefined at the end. */
  async rest(): Promise<Rest | undefined> {
    while (!this.#rest) {
      const { value: extent } = await this.#extents.next();
      if (!extent) return undefined;
      // Those of a lazy dump have no bytes.
      if (extent.isPresent) this.#rest = { extent, start: extent.start, end: extent.end };
    }
    return this.#rest;
  }

  /** Takes the pages before an address. */
  take(until: bigint): void {
    const { extent, end } = this.#rest as Rest;
    this.#rest = until < end ? { extent, start: until, end } : undefined;
  }

  async close(): Promise<void> {
    await this.#extents.return?.();
  }
}

/** Where an extent ends, or another one begins. */
function endBefore({ end }: Rest, other: Rest | undefined): bigint {
  return other && other.start < end ? other.start : end;
}

/** True if both have the page in the same place of the same file. */
function isSamePlace({ extent: one }: Rest, { extent: other }: Rest, start: bigint): boolean {
  if (one.level.path !== other.level.path) return false;
  if (one.fileOffset === undefined || other.fileOffset === undefined) return false;
  return (
    one.fileOffset + Number(start - one.start) === other.fileOffset + Number(start - other.start)
  );
}

/** Compares the bytes of extents. */
class PieceComparison {
  readonly #one = Buffer.allocUnsafe(PIECE);
  readonly #other = Buffer.allocUnsafe(PIECE);
  readonly #pageSize: number;
  readonly #report: ReportPages;

  constructor(pageSize: number, report: ReportPages) {
    this.#pageSize = pageSize;
    this.#report = report;
  }

  async compare(
    before: ComparedExtent,
    after: ComparedExtent,
    start: bigint,
    end: bigint,
  ): Promise<void> {
    for (let at = start; at < end; at += BigInt(PIECE)) {
      const length = end - at < PIECE ? Number(end - at) : PIECE;
      const [one, other] = [this.#one.subarray(0, length), this.#other.subarray(0, length)];
      await Promise.all([before.fill(one, at), after.fill(other, at)]);
      this.#compareBytes(one, other, at);
    }
  }

  /** Compares all bytes at once, and single pages only where they differ. */
  #compareBytes(one: Buffer, other: Buffer, start: bigint): void {
    const size = this.#pageSize;
    if (one.equals(other)) {
      this.#report('pagesEqual', start, one.length / size);
      return;
    }
    for (let at = 0; at < one.length; at += size) {
      const isEqual = one.compare(other, at, at + size, at, at + size) === 0;
      this.#report(isEqual ? 'pagesEqual' : 'pagesChanged', start + BigInt(at), 1);
    }
  }
}
