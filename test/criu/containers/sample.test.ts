import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildLibrary } from '../../helpers/built.ts';
import { codeBlocks, pages, root } from '../../helpers/pages.ts';
import { Bundle, COUNTER, countsOn } from '../../helpers/runc.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

test('the first sample of docs/containers.md works as it is written', async () => {
  await buildLibrary();
  const page = (await pages()).find(({ path }) => path === 'docs/containers.md');
  const [sample] = codeBlocks(page as NonNullable<typeof page>, ['js']);
  // The directories that it names are this test's own.
  const bundle = await Bundle.make(COUNTER, { root: '/run/runc' });
  for (const path of ['/run/runc', '/srv', '/var/lib/checkpoints']) {
    await mkdir(path, { recursive: true });
    await execa('mount', ['-t', 'tmpfs', 'tmpfs', path]);
  }
  await symlink(bundle.directory, '/srv/web');
  const running = await bundle.run('web');
  await countsOn(running);
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'node_modules'));
  await symlink(root, join(directory, 'node_modules/node-criu'));
  await writeFile(join(directory, 'sample.mjs'), sample?.code ?? '');
  const env = { CRIU_PATH: criuPath() };
  const { stdout } = await execa(process.execPath, ['sample.mjs'], { cwd: directory, env });
  expect(stdout).toMatch(/^\d+ \S+\/bundle \[\]$/);
  expect(running.status()?.status).toBe('running');
});
