import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstMissing, type PageRange } from '../../src/images/pagemap.ts';

const PAGE = 4096;

const kinds = [{ present: true }, { inParent: true }, { lazy: true }] as const;
const rangeOf = (page: number, count: number, kind: (typeof kinds)[number]): PageRange => ({
  ...{ start: page * PAGE, count, present: false, inParent: false, lazy: false },
  ...kind,
});

describe('firstMissing', () => {
  /** Ranges in ascending order of addresses, with gaps. */
  const ranges = fc
    .array(fc.record({ gap: fc.nat(2), count: fc.integer({ min: 1, max: 4 }), kind: fc.nat(2) }), {
      maxLength: 8,
    })
    .map((parts) => {
      let page = 0;
      return parts.map(({ gap, count, kind }) => {
        const range = rangeOf(page + gap, count, kinds[kind] as (typeof kinds)[number]);
        page += gap + count;
        return range;
      });
    });

  const pagesOf = ({ start, count }: PageRange) =>
    Array.from(Array(count), (_, index) => start + index * PAGE);

  test('agrees with a naive search page by page', () => {
    fc.assert(
      fc.property(ranges, ranges, (wanted, own) => {
        const held = own.filter(({ present, inParent }) => present || inParent).flatMap(pagesOf);
        const naive = wanted.flatMap(pagesOf).find((page) => !held.includes(page));
        expect(firstMissing(wanted, own, PAGE)).toBe(naive);
      }),
      { seed: 8, numRuns: 1000 },
    );
  });

  test('reads each list of ranges once, however long it is', () => {
    const many = 100_000;
    const fragments = Array.from(Array(many), (_, index) => rangeOf(2 * index, 1, kinds[0]));
    let looks = 0;
    const counted = fragments.map((range) => ({
      ...range,
      get start() {
        looks++;
        return range.start;
      },
    }));
    expect(firstMissing(fragments, counted, PAGE)).toBeUndefined();
    expect(looks).toBeLessThan(10 * many);
    expect(firstMissing([...fragments, rangeOf(2 * many, 1, kinds[0])], counted, PAGE)).toBe(
      2 * many * PAGE,
    );
  });
});
