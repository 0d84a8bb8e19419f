import { IN_PARENT, LAZY, type PageRange, PRESENT } from '../../images/pagemap.ts';
import type { PageEntries } from '../../native/index.ts';

/** Consecutive pages: the address of the first, how many, and flags of CRIU's pagemap. */
export type Span = readonly [address: number, count: number, flags: number];

/** The pages of images, which an earlier comparison has seen in part. */
export interface DividedPages {
  /** What the comparison found of them. */
  readonly known: Span[];
  /** The pages that it has not seen. */
  readonly rest: Span[];
}

/** Divides the pages of images by what was compared before. Both are in ascending order of addresses. */
export function divide(
  ranges: readonly PageRange[],
  compared: PageEntries,
  pageSize: number,
): DividedPages {
  const known: Span[] = [];
  const rest: Span[] = [];
  const earlier = spansOf(compared);
  let next = 0;
  for (const { start, count, lazy } of ranges) {
    const own = lazy ? LAZY : 0;
    const end = start + count * pageSize;
    for (let at = start; at < end; ) {
      while (next < earlier.length && endOf(earlier[next] as Span, pageSize) <= at) next++;
      const [first, , flags] = earlier[next] ?? [end, 0, 0];
      const isKnown = first <= at;
      const until = Math.min(end, isKnown ? endOf(earlier[next] as Span, pageSize) : first);
      const pages = (until - at) / pageSize;
      if (!isKnown) rest.push([at, pages, own]);
      else known.push([at, pages, flags & IN_PARENT ? IN_PARENT : PRESENT | own]);
      at = until;
    }
  }
  return { known, rest };
}

/** Merges spans that do not overlap, by their addresses. */
export function merge(one: readonly Span[], other: readonly Span[]): PageEntries {
  return entriesOf([...one, ...other].sort(([first], [second]) => first - second));
}

/** The spans as an array of numbers. */
export function entriesOf(spans: readonly Span[]): PageEntries {
  return Float64Array.from(spans.flat());
}

/** The spans of an array of numbers. */
export function spansOf(entries: PageEntries): Span[] {
  return Array.from({ length: entries.length / 3 }, (_, index) => {
    const [address = 0, count = 0, flags = 0] = entries.subarray(3 * index, 3 * index + 3);
    return [address, count, flags];
  });
}

/** How many pages of each kind there are. */
export function countsOf(entries: PageEntries): PageCounts {
  let [changed, same] = [0, 0];
  for (const [, count, flags] of spansOf(entries)) {
    if (flags & IN_PARENT) same += count;
    else changed += count;
  }
  return { changed, same };
}

/** How many pages a comparison has found. */
export interface PageCounts {
  readonly changed: number;
  readonly same: number;
}

function endOf([address, count]: Span, pageSize: number): number {
  return address + count * pageSize;
}
