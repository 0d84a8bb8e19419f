import { expect, test } from 'vitest';
import { FirstPages } from '../../src/copies/first-pages.ts';
import { native } from '../../src/native/index.ts';

const PAGE = native().pageSize;
const at = (page: number) => 0x10_000 + page * PAGE;
/** Pages of a file, from such a page on. */
const stored = (page: number, count: number, more = {}) => ({
  ...{ start: at(page), count, path: '/images/pages-1.img', offset: page * PAGE },
  ...more,
});
const run = (pid: number, page: number, count: number) => [pid, at(page), count].map(BigInt);

test('pages that were waited for are marked, wherever they are in the ranges', () => {
  const remote = { start: at(50), count: 4 };
  const memory = new Map([
    [1, [stored(0, 10), stored(20, 4, { isWiped: true }), remote]],
    [2, [stored(30, 2)]],
  ]);
  const pages = new FirstPages(memory);
  expect(pages.marked).toBe(memory);
  pages.add(new BigUint64Array());
  expect(pages.marked).toBe(memory);

  const runs = [run(1, 2, 3), run(1, 4, 2), run(1, 20, 4), run(1, 51, 1), run(3, 0, 1)];
  pages.add(BigUint64Array.from(runs.flat()));
  const isFirst = true;
  const ofOne = [
    ...[stored(0, 2), stored(2, 4, { isFirst }), stored(6, 4)],
    stored(20, 4, { isWiped: true, isFirst }),
    ...[
      { start: at(50), count: 1 },
      { start: at(51), count: 1, isFirst },
    ],
    { start: at(52), count: 2 },
  ];
  expect(pages.marked).toEqual(
    new Map<number, unknown>([
      [1, ofOne],
      [2, [stored(30, 2)]],
    ]),
  );

  // Those of another copy are added.
  pages.add(BigUint64Array.from(run(2, 31, 1)));
  expect(pages.marked.get(1)).toEqual(ofOne);
  expect(pages.marked.get(2)).toEqual([stored(30, 1), stored(31, 1, { isFirst })]);
});
