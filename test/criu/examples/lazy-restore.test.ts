import { expect, test } from 'vitest';
import { runExample } from '../../helpers/example.ts';
import { dumpedMemory } from '../../helpers/memory-workload.ts';
import { client } from '../../helpers/workload.ts';

test('the lazy restore brings a process back, and then its memory', async () => {
  const { memory, imagesDirectory } = await dumpedMemory(client(), 32);
  const output = await runExample('lazy-restore.js', [imagesDirectory]);
  expect(output).toContain(`process ${memory.pid} runs\n`);
  expect(output).toMatch(/^\d+ pages, \d+ bytes, loaded in \d+ ms$/m);
  await memory.verify();
});
