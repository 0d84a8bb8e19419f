import { expect, test } from 'vitest';
import { currentReadme } from '../../scripts/readme.mjs';
import { rowOf } from '../../src/options/table.ts';

test('the tables of README.md are those of the source (if not, run: npm run generate)', async () => {
  const { readme, current } = await currentReadme(rowOf);
  expect(readme).toBe(current);
});
