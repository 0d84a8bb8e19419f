import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runExample } from '../../helpers/example.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

test('the iterative dump copies memory in rounds, and what it leaves can be restored', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 200 });
  const images = join(await temporaryDirectory(), 'images');
  const output = await runExample('iterative-dump.js', [memory.pid, images]);
  const [, directory = ''] = /restore it from (.*)\n/.exec(output) ?? [];
  expect(output).toMatch(/^round 0: /);
  await waitGone(memory.pid);
  await client().restore({ imagesDirectory: directory });
  await memory.verify();
});
