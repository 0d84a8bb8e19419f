import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readPagemap } from '../../../src/images/pagemap.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LazyDestination } from '../../helpers/lazy-destination.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { pageRequest } from '../../helpers/page-messages.ts';
import { sample } from '../../helpers/sample.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

/** More than a link and the buffers of its sockets take, so that the process runs before its memory has arrived. */
const HEAP_MIB = sample('MiB of heap of a lazy dump', 256, 96);
const workload = { heapMiB: HEAP_MIB, hotMiB: 4, pagesPerSecond: 2000 } as const;

test('a process moves over TCP: it runs before its memory has arrived, and has all of it afterwards', async () => {
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  const source = await client().lazyDump(memory.pid, { imagesDirectory });
  const { address, port } = source;
  expect(source.progress.pages).toBeGreaterThan((workload.heapMiB << 20) / 4096);
  expect(source.progress.pagesFetched).toBe(0);

  const destination = await LazyDestination.start();
  await destination.restore({ imagesDirectory, pageServer: { address, port } });
  const { pages } = await destination.pagesDone();
  const result = await source.done;
  expect(result).toMatchObject({ pages, pagesFetched: pages, stats: { pagesLazy: pages } });
  expect(result.stats.bytesWritten).toBeLessThan(1 << 20);
  await waitGone(memory.pid);
  await memory.verify(() => destination.kill('SIGUSR1'));
  await memory.writesOn();
});

test('another user gets no pages over loopback, and a malformed request harms nothing', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 2000 });
  const imagesDirectory = await temporaryDirectory();
  const source = await client().lazyDump(memory.pid, { imagesDirectory });
  /** Sends a request; resolves with how many bytes come back before the connection ends. */
  const bytesFor = async (request: Buffer, through: readonly string[] = []) => {
    const text = [...request].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    const { address, port } = source;
    const script = `exec 3<>/dev/tcp/${address}/${port}; printf '${text}' >&3; cat <&3 | wc -c`;
    const [file = '', ...args] = [...through, 'bash', '-c', script];
    return Number((await execa(file, args)).stdout);
  };
  const { ranges } = await readPagemap(join(imagesDirectory, `pagemap-${memory.pid}.img`));
  const { start = 0 } = ranges.find(({ lazy }) => lazy) ?? {};
  const nobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  expect(await bytesFor(pageRequest({ pid: memory.pid, start }), nobody)).toBe(0);
  expect(await bytesFor(pageRequest({ pid: 1, start }))).toBe(0);
  expect(await bytesFor(pageRequest({ pid: memory.pid, start: 4096 }))).toBe(0);
  expect(source.progress.pagesFetched).toBe(0);
  await source.close();
  expect(await failureOf(source.done)).toMatchObject({ workload: 'running' });
  await memory.verify();
  await memory.writesOn();
});

test('a postDump hook that throws makes a lazy dump roll back before it serves any pages', async () => {
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 2000 });
  const refusal = new Error('the images are not wanted');
  const called: string[] = [];
  const hooks = {
    postDump() {
      throw refusal;
    },
    statusReady: () => void called.push('statusReady'),
  };
  const lazyDump = client().lazyDump(memory.pid, {
    imagesDirectory: await temporaryDirectory(),
    hooks,
  });
  const error = { code: 'ERR_CRIU_HOOK', cause: refusal, workload: 'running' };
  expect(await failureOf(lazyDump)).toMatchObject(error);
  await memory.writesOn();
  const dump = client().dump(memory.pid, {
    imagesDirectory: await temporaryDirectory(),
    ...{ lazyPages: true, insecure: true, hooks },
  });
  expect(await failureOf(dump)).toMatchObject(error);
  await memory.writesOn();
  expect(called).toEqual([]);
});

test.each(['leaveRunning', 'leaveStopped'] as const)(
  '%s in the defaults of the client does not apply: the original ends',
  async (option) => {
    const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 2000 });
    const imagesDirectory = await temporaryDirectory();
    const criu = client({ defaults: { [option]: true } });
    const { done, address, port } = await criu.lazyDump(memory.pid, { imagesDirectory });
    const destination = await LazyDestination.start();
    await destination.restore({ imagesDirectory, pageServer: { address, port } });
    await done;
    await waitGone(memory.pid);
  },
);
