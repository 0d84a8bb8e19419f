import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startExample } from '../../helpers/example.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

test('the iterative dump says what the kernel lacks, and changes nothing', async ({ skip }) => {
  const { memTrack } = await client().features();
  skip(memTrack, 'test/vm/examples.test.ts runs it where the kernel tracks changed memory');
  const counter = await startCounter();
  const images = join(await temporaryDirectory(), 'images');
  const example = await startExample('iterative-dump.js', [counter.pid, images]);
  const { code, output } = await example.ended;
  expect(code).toBe(1);
  expect(output).toContain('(ERR_CRIU_NO_MEM_TRACK)');
  await counter.countsOn();
});
