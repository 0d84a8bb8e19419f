// Writes the tables of docs/faults.md from the faults that the last run of all tests has noted:
// npm run docs:faults.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const notes = new URL('.cache/reliability/', root);
const page = new URL('docs/faults.md', root);

/** The rows of each section. Each test file has its own file of notes, SECTION.TEST.json. */
const sections = new Map();
for (const name of (await readdir(notes)).sort()) {
  const section = name.slice(0, name.indexOf('.'));
  const rows = JSON.parse(await readFile(new URL(name, notes), 'utf8'));
  sections.set(section, [...(sections.get(section) ?? []), ...rows]);
}

let text = await readFile(page, 'utf8');
for (const [section, rows] of sections) {
  const marks = new RegExp(`(<!-- ${section} -->\n)[^]*(<!-- /${section} -->)`);
  if (!marks.test(text)) throw new Error(`${fileURLToPath(page)} has no section ${section}`);
  text = text.replace(marks, (_all, begin, end) => `${begin}${table(rows)}\n${end}`);
}
await writeFile(page, text);

/** @param {readonly { fault: string, error: string, workload: string, left: string }[]} rows */
function table(rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const head = ['Fault', 'Error', 'Workload', 'Left behind'];
  const body = rows.map(({ fault, error, workload, left }) => line([fault, error, workload, left]));
  return [`${rows.length} cases:\n`, line(head), line(head.map(() => '---')), ...body].join('\n');
}
