import fc from 'fast-check';
import { expect, test } from 'vitest';
import { native } from '../../src/native/index.ts';
import { PageLedger } from '../../src/postcopy/page-ledger.ts';

const PAGE = native().pageSize;
const span = (first: number, last: number) => ({ start: first * PAGE, end: (last + 1) * PAGE });
/** Process 1 has pages 0 to 9 and 20 to 29, process 2 has page 0. */
const ledger = () =>
  new PageLedger(
    new Map([
      [1, [span(0, 9), span(20, 29)]],
      [2, [span(0, 0)]],
    ]),
  );

test('all pages are missing at first', () => {
  expect(ledger()).toMatchObject({ total: 21, missing: 21 });
  expect(new PageLedger(new Map())).toMatchObject({ total: 0, missing: 0 });
});

test.each([
  ['a whole span', [[1, 0, 10]], 11],
  ['the beginning of a span', [[1, 20, 3]], 18],
  ['the end of a span', [[1, 27, 3]], 18],
  ['the middle of a span', [[1, 4, 2]], 19],
  ['the middle, then both sides of it', [[1, 4, 2], [1, 0, 4], [1, 6, 4]], 11], // biome-ignore format: in rows
  ['more than a span', [[1, 15, 20]], 11],
  ['across a hole', [[1, 5, 20]], 11],
  ['everything', [[1, 0, 100], [2, 0, 100]], 0], // biome-ignore format: in rows
  ['pages in no span', [[1, 10, 10], [1, 30, 5]], 21], // biome-ignore format: in rows
  ['what is of no process', [[3, 0, 10]], 21],
  ['nothing', [[1, 0, 0]], 21],
  ['the same twice', [[1, 0, 5], [1, 0, 5]], 16], // biome-ignore format: in rows
  ['overlapping ranges', [[1, 0, 5], [1, 3, 5]], 13], // biome-ignore format: in rows
  ['the same pages of another process', [[2, 0, 1]], 20],
] as const)('%s is counted once', (_what, sent, missing) => {
  const pages = ledger();
  for (const [pid, first, count] of sent) pages.sent(pid, first * PAGE, count);
  expect(pages).toMatchObject({ total: 21, missing });
});

test('exactly the pages that were not sent are missing, in whatever order pages are sent', () => {
  const place = fc.record({ first: fc.nat(40), count: fc.nat(12) });
  const property = fc.property(fc.array(place, { maxLength: 30 }), (all) => {
    const pages = ledger();
    const left = new Set([...Array(10).keys(), ...Array.from(Array(10), (_, at) => 20 + at)]);
    for (const { first, count } of all) {
      pages.sent(1, first * PAGE, count);
      for (let page = first; page < first + count; page++) left.delete(page);
    }
    expect(pages.missing).toBe(left.size + 1);
  });
  fc.assert(property, { seed: 5, numRuns: 500 });
});

test.each([
  ['a range', [1, 0, 10], true],
  ['a part of a range', [1, 22, 3], true],
  ['a page that was sent', [2, 0, 1], true],
  ['more than a range', [1, 0, 11], false],
  ['a hole', [1, 12, 1], false],
  ['a part of a hole', [1, 9, 2], false],
  ['no pages', [1, 0, 0], false],
  ['part of a page', [1, 0.5, 1], false],
  ['more pages than numbers can count', [1, 0, 2 ** 64], false],
  ['another process', [3, 0, 1], false],
] as const)('knows whether the processes have %s', (_, [pid, first, count], expected) => {
  const pages = ledger();
  pages.sent(2, 0, 1);
  expect(pages.has(pid, first * PAGE, count)).toBe(expected);
});
