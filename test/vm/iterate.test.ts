import { getEventListeners } from 'node:events';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { preCopy, readDumpStats } from '../../src/index.ts';
import { Authority } from '../helpers/certificates.ts';
import { failureOf } from '../helpers/failures.ts';
import { restoreFrom } from '../helpers/iterations.ts';
import { startMemoryWorkload } from '../helpers/memory-workload.ts';
import { oneIn, sample } from '../helpers/sample.ts';
import { connection, datagramSocket } from '../helpers/sockets.ts';
import { client, temporaryDirectory, waitGone } from '../helpers/workload.ts';

const workload = {
  heapMiB: sample('MiB of heap in an iteration', 32, 12),
  hotMiB: 1,
  pagesPerSecond: 1000,
} as const;
const heapPages = workload.heapMiB * 256;

test('rounds copy the changed pages, and together they are the whole memory', async () => {
  const criu = client();
  expect(await criu.features()).toMatchObject({ memTrack: true });
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  const first = await iteration.preDump();
  expect(first).toMatchObject({ index: 0, directory: join(imagesDirectory, '0') });
  expect(first.stats.pagesWritten).toBeGreaterThan(heapPages);
  expect(await readdir(first.directory)).not.toContain('parent');

  const { signal } = new AbortController();
  for (const index of [1, 2]) {
    await memory.writesOn();
    const { stats, directory, startedMs } = await iteration.preDump({
      signal,
      preDumpMode: index === 1 ? 'read' : 'splice',
    });
    expect(stats.pagesWritten).toBeGreaterThan(0);
    expect(stats.pagesWritten).toBeLessThan(heapPages / 4);
    expect(stats.pagesSkippedParent).toBeGreaterThan(0.7 * heapPages);
    expect(stats.bytesWritten).toBe(await sizeOfPages(directory));
    expect(startedMs).toBeGreaterThan(first.startedMs);
    expect(await readlink(join(directory, 'parent'))).toBe(`../${index - 1}`);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  const last = await iteration.dump();
  expect(last).toMatchObject({ index: 3, directory: join(imagesDirectory, '3') });
  expect(last.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(last.stats.bytesWritten).toBe(await sizeOfPages(last.directory));
  expect(last.preCopy).toBeUndefined();
  // CRIU itself sums them.
  const total = await readDumpStats(last.directory);
  expect(total.pagesWritten).toBeGreaterThan(first.stats.pagesWritten + last.stats.pagesWritten);

  await iteration.exited;
  expect(await failureOf(iteration.preDump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: last.directory });
  await memory.verify();
  await memory.writesOn();
});

test('without a final dump the process continues, and another iteration starts from nothing', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const iteration = await criu.iterate(memory.pid, { imagesDirectory: await temporaryDirectory() });
  await iteration.preDump();
  await iteration.close();
  await iteration.close();
  expect(await failureOf(iteration.dump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  await memory.writesOn();

  const imagesDirectory = await temporaryDirectory();
  await using again = await criu.iterate(memory.pid, { imagesDirectory, autoDedup: true });
  const first = await again.preDump();
  await memory.writesOn();
  const { directory } = await again.dump();
  // The dump punches its pages out of the first round.
  const { size, blocks } = await stat(join(first.directory, 'pages-1.img'));
  expect(blocks * 512).toBeLessThan(size);
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
});

test('the policy ends the rounds, and the result has the expected and the real frozen time', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  const seen: number[] = [];
  const told: string[] = [];
  const copy = preCopy(iteration, {
    maxDowntimeMs: 0,
    maxRounds: 4,
    onRound: (round, { action }) => {
      told.push(`${round.index} ${action}`);
    },
  });
  for await (const round of copy) seen.push(round.index);
  expect(seen).toEqual([0, 1, 2, 3].slice(0, seen.length));
  expect(seen.length).toBeGreaterThan(1);
  expect(told.at(-1)).toBe(`${seen.length - 1} finish`);
  expect(copy.decision).toMatchObject({ action: 'finish' });
  const last = await iteration.dump();
  expect(last.preCopy).toEqual({
    reason: copy.decision?.reason,
    estimatedFrozenTimeMs: copy.decision?.estimatedFrozenTimeMs,
    frozenTimeMs: last.stats.frozenTimeMs,
  });
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: last.directory });
  await memory.verify();
});

test('a policy that aborts closes the iteration, and the process continues', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const imagesDirectory = await temporaryDirectory();
  const iteration = await criu.iterate(memory.pid, { imagesDirectory });
  const copy = preCopy(iteration, (history) => (history.length < 2 ? 'continue' : 'abort'));
  for await (const _ of copy);
  expect(copy.decision).toMatchObject({ action: 'abort', reason: 'policy' });
  expect(await failureOf(iteration.dump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  await memory.writesOn();
  await memory.verify();
});

test.each(oneIn(2, 'rounds to page servers', ['over TLS', 'in plain text']))(
  'each round goes to a page server of its own, by address and port, %s',
  async (how) => {
    const criu = client();
    const tls = how === 'over TLS' ? await certified() : {};
    const memory = await startMemoryWorkload(workload);
    const [imagesDirectory, far] = [await temporaryDirectory(), await temporaryDirectory()];
    await using iteration = await criu.iterate(memory.pid, {
      imagesDirectory,
      ...tls,
      async pageServer({ index, parentImage }) {
        const server = await criu.pageServer({
          imagesDirectory: join(far, String(index)),
          ...(parentImage && { parentImage }),
          pageServer: { port: 0 },
          ...tls,
        });
        expect(server.port).toBeGreaterThan(0);
        return { address: server.address as string, port: server.port as number };
      },
    });
    await iteration.preDump();
    await memory.writesOn();
    const { stats } = await iteration.preDump();
    expect(stats.pagesWritten).toBeLessThan(heapPages / 4);
    const last = await iteration.dump();
    await restoreFrom(criu, far, last.directory, memory.pid);
    await memory.verify();
  },
);

test('rounds that are read from outside the process, with each page kept once, are the whole memory', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const imagesDirectory = await temporaryDirectory();
  const options = { imagesDirectory, preDumpMode: 'read', autoDedup: true } as const;
  await using iteration = await criu.iterate(memory.pid, options);
  const first = await iteration.preDump();
  const space = await spaceOfPages(first.directory);
  await memory.writesOn();
  await iteration.preDump();
  // Later rounds punch their pages out of the first one.
  expect(await spaceOfPages(first.directory)).toBeLessThan(space);
  await memory.writesOn();
  const { directory } = await iteration.dump();
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
});

test('rounds keep pidfds in a socket, and are refused without it', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const [lost, pidfdStoreSk] = [await datagramSocket(), await datagramSocket()];
  await using loser = await criu.iterate(memory.pid, {
    imagesDirectory: await temporaryDirectory(),
  });
  await loser.preDump({ pidfdStoreSk });
  const error = await failureOf(loser.preDump({ pidfdStoreSk: lost }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
  expect(error.message).toContain('The same socket from the previous iteration');

  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory, pidfdStoreSk });
  await iteration.preDump();
  await memory.writesOn();
  const { stats, directory } = await iteration.dump();
  expect(stats.pagesSkippedParent).toBeGreaterThan(4 * 256);
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
});

test('all rounds go through one connection, on which the other side serves each of them', async () => {
  const criu = client();
  const memory = await startMemoryWorkload(workload);
  const [imagesDirectory, far] = [await temporaryDirectory(), await temporaryDirectory()];
  const [near, accepted] = await connection();
  await using iteration = await criu.iterate(memory.pid, {
    imagesDirectory,
    pageServer: { fd: near },
  });
  for (const index of [0, 1, 2]) {
    const server = await criu.pageServer({
      imagesDirectory: join(far, String(index)),
      ...(index > 0 && { parentImage: `../${index - 1}` }),
      pageServer: { fd: accepted },
    });
    const round = index < 2 ? await iteration.preDump() : await iteration.dump();
    expect(await server.exited).toEqual({ code: 0, signal: null });
    if (index === 2) await restoreFrom(criu, far, round.directory, memory.pid);
  }
  await memory.verify();
});

async function sizeOfPages(directory: string): Promise<number> {
  return (await stat(join(directory, 'pages-1.img'))).size;
}

/** The disk space of the files, without punched holes. */
async function spaceOfPages(directory: string): Promise<number> {
  return 512 * (await stat(join(directory, 'pages-1.img'))).blocks;
}

/** The TLS options, which both sides share here. */
async function certified() {
  const authority = await Authority.create('Test authority');
  const { cert, key } = await authority.issue('IP:127.0.0.1');
  return { tls: { ca: authority.cert, cert, key } };
}
