// Where benchmarks write their tables: between the marks <!-- NAME --> and <!-- /NAME --> of a page.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** Puts a table where a page of the checkout has a mark. */
export function document(page, mark, table) {
  const file = new URL(page, root);
  const before = readFileSync(file, 'utf8');
  const marks = new RegExp(`(<!-- ${mark} -->\n).*(<!-- /${mark} -->)`, 's');
  if (!marks.test(before)) throw new Error(`${page} has no mark ${mark}`);
  writeFileSync(
    file,
    before.replace(marks, (_, begin, end) => `${begin}${table}\n${end}`),
  );
}
