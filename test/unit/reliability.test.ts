import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

test('each section of faults that tests note has its place in docs/faults.md', () => {
  const page = readFileSync(new URL('docs/faults.md', root), 'utf8');
  const marked = [...page.matchAll(/<!-- ([^/].*?) -->\n.*?<!-- \/\1 -->/gs)].map(
    ([, name]) => name,
  );
  const tests = new URL('test/', root);
  const files = readdirSync(tests, { encoding: 'utf8', recursive: true });
  const noted = files
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      [...readFileSync(new URL(path, tests), 'utf8').matchAll(/noteFault\('([^']+)'/g)].map(
        ([, name]) => name,
      ),
    );
  expect(noted.length).toBeGreaterThan(0);
  expect([...new Set(noted)].sort()).toEqual(marked.sort());
});
