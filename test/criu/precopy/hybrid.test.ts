import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, onTestFinished, test } from 'vitest';
import {
  type FinalLazyDumpOptions,
  type OperationTrace,
  preCopy,
  type Round,
} from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LazyDestination } from '../../helpers/lazy-destination.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { sample } from '../../helpers/sample.ts';
import { listening } from '../../helpers/sockets.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

test('a lazy dump after rounds leaves only the changed pages to fetch', async () => {
  const memory = await startMemoryWorkload({
    heapMiB: sample('MiB of heap in a hybrid copy', 48, 20),
    hotMiB: 2,
    pagesPerSecond: 1000,
  });
  const imagesDirectory = await temporaryDirectory();
  const iteration = await client().iterate(memory.pid, { imagesDirectory, lazyPages: true });
  const rounds: Round[] = [];
  for await (const round of preCopy(iteration, { maxDowntimeMs: 0, maxRounds: 2 })) {
    rounds.push(round);
  }
  const [first] = rounds as [Round, Round];
  const seen: unknown[] = [];
  const see = ({ operation, round }: OperationTrace) => seen.push({ operation, round });
  subscribe('tracing:node-criu:operation:start', see as ChannelListener);
  onTestFinished(
    () => void unsubscribe('tracing:node-criu:operation:start', see as ChannelListener),
  );
  const source = await iteration.lazyDump();
  expect(seen).toEqual([{ operation: 'lazyDump', round: 2 }]);
  expect(source.progress.pages).toBeGreaterThan(0);
  expect(source.progress.pages).toBeLessThan(first.stats.pagesWritten / 4);
  await expect(iteration.preDump()).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });

  const { address, port } = source;
  const destination = await LazyDestination.start();
  await destination.restore({
    imagesDirectory: source.imagesDirectory,
    pageServer: { address, port },
  });
  const { pages } = await destination.pagesDone();
  const { preCopy: copied, ...done } = await source.done;
  expect(done).toMatchObject({ pages, pagesFetched: pages });
  expect(copied).toMatchObject({ reason: 'rounds', estimatedFrozenTimeMs: expect.any(Number) });
  expect(copied?.frozenTimeMs).toBeGreaterThan(0);
  expect(copied?.frozenTimeMs).toBeLessThan(done.stats.frozenTimeMs);
  await waitGone(memory.pid);
  await memory.verify(() => destination.kill('SIGUSR1'));
  await memory.writesOn();
});

test('a lazy dump that cannot start leaves the iteration unchanged', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 1000 });
  const imagesDirectory = await temporaryDirectory();
  const iteration = await client().iterate(memory.pid, { imagesDirectory, lazyPages: true });
  await iteration.preDump();
  const { port } = await listening();
  const before = await holdings();
  const bad: readonly [code: string, options: object][] = [
    ['ERR_CRIU_INVALID_ARGUMENT', { confirm: 'yes' }],
    ['ERR_CRIU_INVALID_ARGUMENT', { leaveRunning: true }],
    ['ERR_CRIU_INVALID_ARGUMENT', { pageServer: { port: 70_000 } }],
    ['ERR_CRIU_INVALID_ARGUMENT', { pageServer: { address: '0.0.0.0' } }],
    [
      'ERR_CRIU_INVALID_ARGUMENT',
      { tls: { ca: '/nowhere.pem', cert: '/nowhere.pem', key: '/nowhere.pem' } },
    ],
    ['ERR_CRIU_SYSTEM', { pageServer: { port } }],
  ];
  for (const [code, options] of bad) {
    const lazy = iteration.lazyDump(options as FinalLazyDumpOptions);
    expect(await failureOf(lazy), JSON.stringify(options)).toMatchObject({ code });
  }
  expect(await holdings()).toEqual(before);
  await iteration.preDump();
  await using source = await iteration.lazyDump();
  expect(source.progress.pages).toBeGreaterThan(0);
  await source.close();
  await memory.verify();
});
