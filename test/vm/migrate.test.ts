import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { migrate } from '../../src/index.ts';
import { Caller } from '../helpers/caller.ts';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { startMemoryWorkload } from '../helpers/memory-workload.ts';
import { temporaryDirectory, waitGone } from '../helpers/workload.ts';

const through = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

beforeAll(allowLargePipes);

test.each(['pre-copy', 'hybrid'] as const)('%s moves a process, with its memory', async (mode) => {
  const memory = await startMemoryWorkload({ heapMiB: 32, hotMiB: 2, pagesPerSecond: 500 });
  const host = await Caller.start(through);
  const port = await host.ask<number>('serve', {
    listen: { host: '127.0.0.1', port: 0 },
    insecure: true,
    directory: await temporaryDirectory(),
    stallMs: 60_000,
  });
  const migration = migrate(memory.pid, {
    to: { host: '127.0.0.1', port },
    ...{ insecure: true, mode, path: criuPath(), stallMs: 60_000 },
    policy: { maxDowntimeMs: 0, maxRounds: 3 },
    directory: await temporaryDirectory(),
  });
  const rounds: number[] = [];
  for await (const { round, pages } of migration) if (round !== undefined) rounds.push(pages ?? 0);
  const result = await migration.result;
  expect(result).toMatchObject({ mode, rounds: rounds.length });
  expect(rounds.length).toBeGreaterThan(1);
  expect(rounds.at(-1)).toBeLessThan((rounds[0] as number) / 4);
  await waitGone(memory.pid);
  await memory.verify(() => host.ask('kill', { pid: result.pid, signal: 'SIGUSR1' }));
  await memory.writesOn();
});
