import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';

const root = resolve(import.meta.dirname, '../..');

/** What is exported, with the declaration of each: the lines of it and of the comment before. */
let declarations: Map<string, { readonly lines: readonly string[]; readonly at: number }>;
beforeAll(async () => {
  await buildLibrary();
  const dist = join(root, 'dist');
  const index = readFileSync(join(dist, 'index.d.ts'), 'utf8');
  declarations = new Map();
  for (const [, names = '', file = ''] of index.matchAll(/\{([^}]*)\} from '([^']+)'/g)) {
    const lines = readFileSync(join(dist, file.replace(/\.ts$/, '.d.ts')), 'utf8').split('\n');
    for (const [, name = ''] of names.matchAll(/(\w+)\s*(?:,|$)/g)) {
      const head = new RegExp(
        `^export (declare )?(class|interface|type|function|const) ${name}\\b`,
      );
      declarations.set(name, { lines, at: lines.findIndex((line) => head.test(line)) });
    }
  }
});

test('every public name, and every member of it, has a comment', () => {
  const bare: string[] = [];
  for (const [name, { lines, at }] of declarations) {
    const note = (line: number, what: string) => {
      if (!/\*\/$/.test(lines[line - 1] ?? '')) bare.push(what);
    };
    note(at, name);
    if (!/ (class|interface) /.test(lines[at] ?? '')) continue;
    for (let line = at + 1; line < lines.length && lines[line] !== '}'; line++) {
      const [, member] = /^ {4}(?:readonly |get )?(\w+)/.exec(lines[line] ?? '') ?? [];
      if (member && member !== 'private') note(line, `${name}.${member}`);
    }
  }
  expect(declarations.size).toBeGreaterThan(90);
  expect(bare).toEqual([]);
});

test('every public name is in the tests of the types', () => {
  const directory = join(root, 'test/types');
  const tests = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
  const words = new Set(tests.join('\n').match(/\w+/g));
  expect([...declarations.keys()].filter((name) => !words.has(name))).toEqual([]);
});
