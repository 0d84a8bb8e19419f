import { expect, test } from 'vitest';
import { IN_PARENT, LAZY, type PageRange, PRESENT } from '../../src/images/pagemap.ts';
import { countsOf, divide, merge, type Span } from '../../src/precopy/compare/page-spans.ts';
import { seeded } from '../helpers/random.ts';
import { testSeed } from '../helpers/sample.ts';

const PAGE = 4096;
const PAGES = 64;

test('pages of images are divided by what was compared before', () => {
  const random = seeded(testSeed(14));
  for (let round = 0; round < 300; round++) {
    const wanted = Array.from({ length: PAGES }, () => [undefined, 0, LAZY][random(3)]);
    const compared = Array.from(
      { length: PAGES },
      () => [undefined, IN_PARENT, PRESENT][random(3)],
    );
    const ranges = spansOf(wanted).map(
      ([start, count, flags]): PageRange => ({
        ...{ start, count, lazy: flags === LAZY, present: false, inParent: false },
      }),
    );
    const { known, rest } = divide(ranges, merge(spansOf(compared), []), PAGE);
    const expected = wanted.map((own, page) => {
      if (own === undefined) return undefined;
      if (compared[page] === undefined) return { rest: own };
      return { known: compared[page] === IN_PARENT ? IN_PARENT : PRESENT | own };
    });
    const found: unknown[] = Array(PAGES).fill(undefined);
    for (const [start, count, flags] of known) fill(found, start, count, { known: flags });
    for (const [start, count, flags] of rest) fill(found, start, count, { rest: flags });
    expect(found).toEqual(expected);
    const merged = merge(
      known,
      rest.map(([start, count]): Span => [start, count, PRESENT]),
    );
    const { changed, same } = countsOf(merged);
    expect(changed + same).toBe(wanted.filter((own) => own !== undefined).length);
    expect(merged.filter((_, index) => index % 3 === 0)).toEqual(
      merged.filter((_, index) => index % 3 === 0).sort(),
    );
  }
});

function fill(pages: unknown[], start: number, count: number, what: unknown): void {
  for (let page = start / PAGE; page < start / PAGE + count; page++) {
    expect(pages[page]).toBe(undefined);
    pages[page] = what;
  }
}

function spansOf(pages: readonly (number | undefined)[]): Span[] {
  const spans: [number, number, number][] = [];
  for (const [page, flags] of pages.entries()) {
    const last = spans.at(-1);
    if (flags === undefined) continue;
    if (last && last[2] === flags && last[0] + last[1] * PAGE === page * PAGE) last[1]++;
    else spans.push([page * PAGE, 1, flags]);
  }
  return spans;
}
