import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FinalDump, type PreCopyLimits, preCopy, type Round } from '../../../src/index.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { startNode } from '../../helpers/node-program.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

const server = join(import.meta.dirname, '../../../scripts/demo/server.mjs');

test('an idle Node server has few pages to copy after the first round, and answers after the restore', async () => {
  const stdout = join(await temporaryDirectory(), 'port');
  const { pid } = await startNode([server], { stdout });
  await waitFor(async () => (await readFile(stdout, 'utf8')).endsWith('\n'), 'the server listens');
  const port = (await readFile(stdout, 'utf8')).trim();
  const { rounds, last } = await dumpedInRounds(pid, { maxDowntimeMs: 0 });
  expect(last.stats.pagesWritten).toBeLessThan(0.5 * (rounds[0]?.stats.pagesWritten ?? 0));
  await waitGone(pid);
  await client().restore({ imagesDirectory: last.directory });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('1\n');
});

test('the rounds end because they gain nothing for a writer that is faster than the copy', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 16, pagesPerSecond: 'max' });
  const { rounds, last } = await dumpedInRounds(memory.pid, { maxDowntimeMs: 0, maxRounds: 8 });
  expect(last.preCopy?.reason).toBe('no-gain');
  expect(rounds.length).toBeLessThan(8);
  await waitGone(memory.pid);
  await client().restore({ imagesDirectory: last.directory });
  await memory.verify();
});

async function dumpedInRounds(
  pid: number,
  policy: PreCopyLimits,
): Promise<{ rounds: Round[]; last: FinalDump }> {
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await client().iterate(pid, { imagesDirectory });
  const rounds: Round[] = [];
  for await (const round of preCopy(iteration, policy)) rounds.push(round);
  return { rounds, last: await iteration.dump() };
}
