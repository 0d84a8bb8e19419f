import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, linksOf, pages, root } from '../helpers/pages.ts';

test('every relative link of the documentation leads to a file, and every anchor to a heading', async () => {
  const all = await pages();
  const dead = all.flatMap((page) =>
    linksOf(page)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
        if (!existsSync(join(root, path))) return true;
        const other = all.find((each) => each.path === path);
        return anchor !== undefined && !(other && anchorsOf(other).has(anchor));
      })
      .map((target) => `${page.path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every page of docs/ can be reached from README.md', async () => {
  const all = await pages();
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const page = all.find((each) => each.path === path);
    for (const target of page ? linksOf(page) : []) {
      const [file = ''] = target.split('#');
      if (file.endsWith('.md') && !/^[a-z]+:/.test(file)) {
        reached.add(normalize(join(dirname(path), file)));
      }
    }
  }
  expect(all.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});

test('every file of the checkout that a page names exists', async () => {
  const missing = (await pages())
    .filter(({ path }) => path !== 'CHANGELOG.md')
    .flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|test|scripts|docs|examples|proto)\/[\w./-]+)`/g)]
        .filter(([, file = '']) => !existsSync(join(root, file)))
        .map(([, file]) => `${path}: ${file}`),
    );
  expect(missing).toEqual([]);
});

test('no TSDoc link is left unresolved in a page', async () => {
  for (const { path, text } of await pages()) expect(text, path).not.toContain('{@link');
});

test('README.md has at most 200 lines', async () => {
  const readme = (await pages()).find(({ path }) => path === 'README.md');
  expect(readme?.text.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});
