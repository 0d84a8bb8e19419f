import { execa } from 'execa';
import { expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';
import { root } from '../helpers/pages.ts';

test('the public API matches its report and is documented (if not, run: npm run api)', {
  timeout: 120_000,
}, async () => {
  await buildLibrary();
  const args = ['scripts/docs/api.mjs'];
  const { exitCode, all } = await execa('node', args, { cwd: root, all: true, reject: false });
  expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
});
