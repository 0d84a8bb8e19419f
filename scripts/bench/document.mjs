// Where benchmarks write their tables, if they are run with --write-docs: between the marks
// <!-- NAME --> and <!-- /NAME --> of a page, with the machine and the day. Otherwise no tracked file changes. The
// README leaves machine and day to docs/performance.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const root = new URL('../../', import.meta.url);

/** Whether to write into docs/. */
export const writesDocs = process.argv.includes('--write-docs');
/** The other arguments of the program. */
export const positionals = process.argv.slice(2).filter((arg) => arg !== '--write-docs');

/** Puts a table where a page of the checkout has a mark. */
export function document(page, mark, table) {
  if (!writesDocs) return;
  const file = new URL(page, root);
  const before = readFileSync(file, 'utf8');
  const marks = new RegExp(`(<!-- ${mark} -->\n).*(<!-- /${mark} -->)`, 's');
  if (!marks.test(before)) throw new Error(`${page} has no mark ${mark}`);
  const text = page === 'README.md' ? table : `${table}\n\n${measured()}`;
  writeFileSync(
    file,
    before.replace(marks, (_, begin, end) => `${begin}${text}\n${end}`),
  );
}

function measured() {
  const day = new Date().toISOString().slice(0, 10);
  const processors = `${cpus().length} × ${cpus()[0].model.trim()}`;
  return `Measured on ${day}: ${processors}, Linux ${release()}, Node ${process.version.slice(1)}.`;
}
