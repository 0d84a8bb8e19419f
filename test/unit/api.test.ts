import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { buildLibrary } from '../helpers/built.ts';
import { root } from '../helpers/pages.ts';

test('the public API matches its report and is documented (if not, run: npm run api)', {
  timeout: 120_000,
}, async () => {
  await buildLibrary();
  const extractor = join(root, 'node_modules/.bin/api-extractor');
  for (const entry of ['', '-guest', '-images', '-report']) {
    const args = ['run', '--config', `scripts/docs/api-extractor${entry}.json`];
    const { exitCode, all } = await execa(extractor, args, { cwd: root, all: true, reject: false });
    expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
  }
});
