import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { referencePages } from '../../scripts/reference.mjs';
import { rowOf } from '../../src/options/table.ts';

test('the generated pages match the source (if not, run: npm run generate)', async () => {
  for (const [path, text] of await referencePages(rowOf)) {
    const written = await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
    expect(written, path).toBe(text);
  }
});
