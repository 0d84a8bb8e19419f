import { expect, test } from 'vitest';
import { PRESENT } from '../../src/images/pagemap.ts';
import { native } from '../../src/native/index.ts';
import { partsByFile } from '../../src/precopy/compare/parent-pages.ts';

const { pageSize } = native();

/** Pages in a file. Addresses and offsets are in pages. */
function stored(path: string, start: number, count: number, offset: number) {
  return { path, start: start * pageSize, count, offset: offset * pageSize };
}

test('the pages that are wanted of each file are read in the order of the file', () => {
  const pages = [
    stored('/b', 10, 2, 0),
    stored('/a', 12, 1, 7),
    stored('/b', 20, 20_000, 3),
    stored('/a', 30_000, 4, 1),
    stored('/b', 50_000, 1, 20_003),
    stored('/a', 60_000, 1, 9.5),
  ];
  const parts = [...partsByFile(pages)].flatMap(([path, parts]) =>
    parts.map(({ offset, spans }) => [path, offset / pageSize, spans]),
  );
  const span = (start: number, count: number) => [start * pageSize, count, PRESENT];
  const skipped = (count: number) => [0, count, 0];
  expect(parts).toEqual([
    ['/a', 1, [span(30_000, 4), skipped(2), span(12, 1)]],
    // What compressed pages precede begins at any byte.
    ['/a', 9.5, [span(60_000, 1)]],
    ['/b', 0, [span(10, 2), skipped(1), span(20, 20_000)]],
    // The part before is large enough.
    ['/b', 20_003, [span(50_000, 1)]],
  ]);
});
