// Writes the tables of README.md that come from the source: its options and its error codes.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/** README.md with its tables made anew, by the rows of the option table. */
export async function currentReadme(rowOf) {
  const [readme, types, errors] = await Promise.all(
    ['README.md', 'src/options/types.ts', 'src/errors.ts'].map((name) =>
      readFile(new URL(name, root), 'utf8'),
    ),
  );
  const withOptions = replaced(readme, 'options', optionsTable(rowOf, types));
  return { readme, current: replaced(withOptions, 'errors', errorsTable(errors)) };
}

function optionsTable(rowOf, types) {
  const rows = [...rowOf].map(([option, [field, { kind, operations, since }]]) => [
    `\`${option}\``,
    escaped(summary(types, option)),
    escaped(kind.takes),
    operations.join(', '),
    `\`${field}\``,
    dotted(since),
  ]);
  return table(['Option', 'What it does', 'Takes', 'Operations', 'CRIU field', 'Since'], rows);
}

/** The first sentence of a property's comment, as Markdown. */
export function summary(types, option) {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+${option}\\?:`).exec(types)?.[1];
  if (comment === undefined) throw new Error(`src/options/types.ts says nothing of ${option}`);
  const text = comment
    .replace(/^\s*\*/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/\{@link (.*?)\}/g, '`$1`')
    .trim();
  return /^.*?\.(?= |$)/.exec(text)[0].slice(0, -1);
}

function errorsTable(errors) {
  const rows = [...errors.matchAll(/^ \* - `(ERR_\w+)`: ((?:.|\n \* {3})*)$/gm)];
  return table(
    ['Code', 'Cause'],
    rows.map(([, code, text]) => [
      `\`${code}\``,
      escaped(text.replace(/\n \* +/g, ' ').replace(/\.$/, '')),
    ]),
  );
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escaped(text) {
  return text.replaceAll('|', '\\|');
}

function dotted(number) {
  return `${Math.floor(number / 10000)}.${Math.floor(number / 100) % 100}`;
}

function replaced(readme, name, content) {
  const marks = new RegExp(`(<!-- ${name} -->\n)[^]*(<!-- /${name} -->)`);
  if (!marks.test(readme)) throw new Error(`README.md has no place for its ${name}`);
  return readme.replace(marks, (_all, begin, end) => `${begin}${content}\n${end}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rowOf } = await import('../build/js/options/table.js');
  const { readme, current } = await currentReadme(rowOf);
  if (readme !== current) await writeFile(new URL('README.md', root), current);
}
