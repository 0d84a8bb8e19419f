import { beforeAll, expect, test } from 'vitest';
import { allowLargePipes } from '../helpers/large-pipes.ts';
import { LazyDestination } from '../helpers/lazy-destination.ts';
import { startMemoryWorkload } from '../helpers/memory-workload.ts';
import { client, temporaryDirectory, waitGone } from '../helpers/workload.ts';

beforeAll(allowLargePipes);

test('rounds, and then a lazy dump of what has changed since: little is left to fetch', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 48, hotMiB: 2, pagesPerSecond: 1000 });
  const imagesDirectory = await temporaryDirectory();
  const iteration = await client().iterate(memory.pid, { imagesDirectory, lazyPages: true });
  const first = await iteration.preDump();
  await iteration.preDump();
  const source = await iteration.lazyDump();
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
  expect(await source.done).toMatchObject({ pages, pagesFetched: pages });
  await waitGone(memory.pid);
  await memory.verify(() => destination.kill('SIGUSR1'));
  await memory.writesOn();
});
