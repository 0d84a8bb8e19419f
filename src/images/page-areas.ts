import { native } from '../native/index.ts';
import type { Pages } from './page-chain.ts';

/** Addresses from the first to before the last. */
export type Area = readonly [start: number, end: number];

/** Some of consecutive pages, and whether they are in an area. */
export type PagePart = Pages & { readonly isInside: boolean };

/**
 * Returns a function that divides consecutive pages where areas begin and end. The areas, and the pages of one call after
 * the other, are in ascending order of addresses.
 */
export function dividerBy(areas: readonly Area[]): (pages: Pages) => PagePart[] {
  const { pageSize } = native();
  let next = 0;
  return ({ start, count }) => {
    const parts: PagePart[] = [];
    const end = start + count * pageSize;
    for (let at = start; at < end; ) {
      while ((areas[next]?.[1] ?? end) <= at) next++;
      const [first, last] = areas[next] ?? [end, end];
      const isInside = first <= at;
      const until = Math.min(end, isInside ? last : first);
      parts.push({ start: at, count: (until - at) / pageSize, isInside });
      at = until;
    }
    return parts;
  };
}
