import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyImages } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const workload = { heapMiB: 12, hotMiB: 1, pagesPerSecond: 1000 } as const;
const heapPages = workload.heapMiB * 256;

test('rounds that compare memory copy what has changed, and together they are the whole memory', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, {
    ...{ imagesDirectory, tracking: 'compare', lowPriority: true, rateLimit: 1e9 },
  });
  expect(iteration.tracking).toBe('compare');
  const first = await iteration.preDump();
  expect(first).toMatchObject({ index: 0, directory: join(imagesDirectory, '0') });
  expect(first.stats.pagesWritten).toBeGreaterThan(heapPages);
  expect(first.stats.frozenTimeMs).toBe(0);

  await memory.writesOn();
  const second = await iteration.preDump();
  expect(second.stats.pagesWritten).toBeGreaterThan(0);
  expect(second.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(second.stats.pagesSkippedParent).toBeGreaterThan(0.7 * heapPages);
  expect(second.stats.bytesWritten).toBe(await sizeOfPages(second.directory));
  expect(await readlink(join(second.directory, 'parent'))).toBe('../0');
  expect((await stat(second.directory)).mode & 0o777).toBe(0o700);

  await memory.writesOn();
  const last = await iteration.dump();
  expect(last.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(last.stats.bytesWritten).toBe(await sizeOfPages(last.directory));
  expect(await verifyImages(last.directory)).toEqual([]);
  expect(await failureOf(iteration.preDump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: last.directory });
  await memory.verify();
  await memory.writesOn();
});

test('with leaveRunning the processes run on, and the images are complete', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, {
    ...{ imagesDirectory, tracking: 'compare', compareWith: 'copy', leaveRunning: true },
  });
  await iteration.preDump();
  const { directory } = await iteration.dump();
  expect(await verifyImages(directory)).toEqual([]);
  await memory.writesOn();
  await memory.verify();
  process.kill(memory.pid, 'SIGKILL');
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
});

async function sizeOfPages(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => /^pages-\d+\.img$/.test(name));
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(directory, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('memory that is mapped, moved, emptied and forked meanwhile is complete', async () => {
  const criu = client();
  const { pid, verify } = await startRemapWorkload();
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(pid, {
    imagesDirectory,
    tracking: 'compare',
    durable: false,
  });
  for (let round = 0; round < 6; round++) await iteration.preDump();
  const { directory, stats } = await iteration.dump();
  expect(stats.pagesSkippedParent).toBeGreaterThan(0);
  expect(await verifyImages(directory)).toEqual([]);
  await waitGone(pid);
  await criu.restore({ imagesDirectory: directory });
  await verify();
});
