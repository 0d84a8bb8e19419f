import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('the command iterate copies memory in rounds, and prints what can be restored', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 200 });
  const images = join(await temporaryDirectory(), 'images');
  const iterated = await nodeCriu(['iterate', String(memory.pid), '-D', images]);
  expect(iterated).toMatchObject({ exitCode: 0 });
  expect(iterated.stderr).toMatch(/^round 0: .*\n(.*\n)*dumping: /);
  const [, directory = ''] = /^(.*): process \d+, .*, frozen for /.exec(iterated.stdout) ?? [];
  await waitGone(memory.pid);
  await client().restore({ imagesDirectory: directory });
  await memory.verify();
});
