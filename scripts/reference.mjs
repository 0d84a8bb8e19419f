// Writes the pages of docs/ that come from the source: options.md from the option table and the TSDoc
// of src/options/types.ts, and errors.md from the TSDoc of src/errors.ts.
//
// @ts-check
/** @import { rowOf as Rows } from '../src/options/table.ts' */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
/** @param {string} source */
const header = (source) =>
  `<!-- Written by scripts/reference.mjs from ${source}. Do not edit; run: npm run generate -->\n`;

/**
 * The generated pages by their path in the checkout, from the rows of the option table.
 *
 * @param {typeof Rows} rowOf
 * @returns {Promise<Map<string, string>>}
 */
export async function referencePages(rowOf) {
  const [types, errors] = await Promise.all([source('options/types.ts'), source('errors.ts')]);
  return new Map([
    ['docs/options.md', optionsPage(rowOf, types)],
    ['docs/errors.md', errorsPage(errors)],
  ]);
}

/**
 * @param {typeof Rows} rowOf
 * @param {string} types
 */
function optionsPage(rowOf, types) {
  const rows = [...rowOf].map(([option, [field, { kind, operations, since }]]) => [
    `\`${option}\``,
    escaped(summary(types, option)),
    escaped(kind.takes),
    operations.join(', '),
    field === 'tls' ? '`tls`, `tls_*`' : field ? `\`${field}\`` : '',
    field ? dotted(since) : '',
  ]);
  return `${header('src/options/')}# Options

Every option of CRIU, with the operations that take it. Unknown options, and options that an operation does not
take, are refused before anything is started; so are options that need a newer CRIU than the one that runs. An
absent option is left to CRIU's default, which CRIU's configuration files may change. The names are runc's where
runc has the option, otherwise the camelCase of CRIU's own field. As flags of [the command](command.md) they are
written \`--tcp-established\`.

Every operation also takes \`signal\`, \`deadlineMs\` and \`gracePeriodMs\`, and most take \`hooks\`: see
[hooks and cancellation](hooks-and-cancellation.md). "CRIU field" is the name in CRIU's \`criu_opts\`, and "Since"
the first CRIU that has it; the library implements options without a field by itself.

${table(['Option', 'What it does', 'Takes', 'Operations', 'CRIU field', 'Since'], rows)}
`;
}

/** @param {string} errors */
function errorsPage(errors) {
  const codes = [...errors.matchAll(/^ \* - `(ERR_\w+)`: ((?:.|\n \* {3})*)$/gm)].map(
    ([, code, text = '']) => [`\`${code}\``, escaped(markdown(text).replace(/\.$/, ''))],
  );
  const [, body = ''] =
    /^export class CriuError extends Error \{\n(.*?)\n {2}constructor/ms.exec(errors) ?? [];
  const properties = [
    ...body.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\s+(?:declare )?readonly (\w+)\??: /gs),
  ].map(([, comment = '', name]) => [`\`${name}\``, escaped(markdown(comment))]);
  return `${header('src/errors.ts')}# Errors

Every failure of node-criu is a \`CriuError\`. Its \`message\` is one line that names the operation and the true
cause, which CRIU's log often hides; its \`code\` is stable. \`console.log(error)\` prints only the properties that
are set.

\`\`\`js
import { CriuError } from 'node-criu';

try {
  await criu.dump(pid, { imagesDirectory });
} catch (error) {
  if (!(error instanceof CriuError)) throw error;
  console.error(error.code, error.message);
  if (error.workload === 'stopped') console.error('the processes are stopped');
  for (const { message, remedy } of error.findings ?? []) console.error(message, remedy);
  for (const line of error.log?.errors ?? []) console.error(line);
}
\`\`\`

## Codes

${table(['Code', 'Cause'], codes)}

## Properties

Besides \`message\` and \`cause\`:

${table(['Property', 'Meaning'], properties)}
`;
}

/**
 * The first sentence of a property's comment, as Markdown.
 *
 * @param {string} types
 * @param {string} option
 */
export function summary(types, option) {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+${option}\\?:`).exec(types)?.[1];
  if (comment === undefined) throw new Error(`src/options/types.ts does not document ${option}`);
  const [sentence = ''] = /^.*?\.(?= |$)/.exec(markdown(comment)) ?? [];
  return sentence.slice(0, -1);
}

/**
 * The text of a comment on one line; a link becomes code.
 *
 * @param {string} comment
 */
function markdown(comment) {
  return comment
    .replace(/^\s*\*/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/\{@link (.*?)\}/g, '`$1`')
    .trim();
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  /** @param {readonly string[]} cells */
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('|', '\\|');
}

/** @param {number} number */
function dotted(number) {
  return `${Math.floor(number / 10000)}.${Math.floor(number / 100) % 100}`;
}

/** @param {string} name */
function source(name) {
  return readFile(new URL(`src/${name}`, root), 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { rowOf } = await import('../build/js/options/table.js');
  for (const [path, text] of await referencePages(rowOf)) {
    await writeFile(new URL(path, root), text);
  }
}
