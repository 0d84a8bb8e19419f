import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { FirstPages } from '../../../src/copies/first-pages.ts';
import {
  countLazyPages,
  type LazyMemory,
  type LazyRange,
  lazyMemoryIn,
} from '../../../src/images/lazy-memory.ts';
import { flagsOf, LAZY, pagemapOf, pagemapsIn, readPagemap } from '../../../src/images/pagemap.ts';
import type { Criu } from '../../../src/index.ts';
import { native } from '../../../src/native/index.ts';
import { lazyRestore } from '../../../src/postcopy/lazy-restore.ts';
import {
  addMessage,
  commandOf,
  MAX_BUFFERED_BYTES,
  MESSAGE_SIZE,
  requestedPages,
} from '../../../src/postcopy/page-protocol.ts';
import { failureOf } from '../../helpers/failures.ts';
import { dumpedMemory } from '../../helpers/memory-workload.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

const PAGE = native().pageSize;
const PRESENT = 4;
const SLOW_MS = 5;

/** Makes a dump what a lazy dump leaves. Resolves with what reads the memory that is gone from it. */
async function makeLazy(directory: string) {
  const places = new Map<string, Buffer>();
  for (const [pid, path] of await pagemapsIn(directory)) {
    const { pagesId, pagesFile, ranges } = await readPagemap(path);
    const pages = await readFile(join(directory, pagesFile));
    let offset = 0;
    const kept: Buffer[] = [];
    const entries = ranges.flatMap((range) => {
      const { start, count, present, lazy } = range;
      if (!present) return [start, count, flagsOf(range)];
      if (!lazy) {
        kept.push(pages.subarray(offset, offset + count * PAGE));
        offset += count * PAGE;
        return [start, count, flagsOf(range)];
      }
      for (let page = 0; page < count; page++, offset += PAGE) {
        places.set(`${pid} ${start + page * PAGE}`, pages.subarray(offset, offset + PAGE));
      }
      return [start, count, LAZY];
    });
    await writeFile(path, pagemapOf(pagesId, [Float64Array.from(entries)]));
    await writeFile(join(directory, pagesFile), Buffer.concat(kept));
  }
  return (pid: number, start: number, count: number) =>
    Buffer.concat(
      Array.from(
        { length: count },
        (_, page) => places.get(`${pid} ${start + page * PAGE}`) as Buffer,
      ),
    );
}

/** A source of lazy pages that answers as it is told to, or hangs up. Returns the end for the daemon. */
function startSource(answer: (request: ReturnType<typeof requestedPages>) => Buffer | undefined) {
  const [localFd, fd] = native().streamPair(MAX_BUFFERED_BYTES);
  native().release(localFd);
  onTestFinished(() => native().close(fd));
  const source = new Socket({ fd: localFd, readable: true, writable: true });
  const commands: string[] = [];
  let rest = Buffer.alloc(0);
  source.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= MESSAGE_SIZE; rest = rest.subarray(MESSAGE_SIZE)) {
      commands.push(commandOf(rest));
      const pages = commandOf(rest) === 'get' ? answer(requestedPages(rest)) : Buffer.alloc(4);
      // Slowly, so that processes run without their memory for a while.
      setTimeout(() => (pages ? source.write(pages) : source.destroy()), SLOW_MS);
    }
  });
  onTestFinished(() => void source.destroy());
  return { fd, commands };
}

async function dumpedRemap(criu: Criu) {
  const program = await startRemapWorkload();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(program.pid, { imagesDirectory });
  await waitGone(program.pid);
  return { program, imagesDirectory };
}

test('a program that changes its mappings gets the right memory from a source that answers with fewer pages', async () => {
  const criu = client();
  const { program, imagesDirectory } = await dumpedRemap(criu);
  const read = await makeLazy(imagesDirectory);
  expect(await failureOf(criu.lazyRestore({ imagesDirectory }))).toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'pageServer' },
    message: expect.stringContaining('pages are missing from the images'),
  });
  const { fd, commands } = startSource(({ pid, start, count }) => {
    const answered = Math.min(count, 3);
    return Buffer.concat([addMessage(pid, [start, answered, PRESENT]), read(pid, start, answered)]);
  });
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, pageServer: { fd } });
  await program.verify();
  const { pages } = await pagesDone;
  expect(commands.filter((command) => command === 'get').length).toBeGreaterThan(pages / 6);
  expect(commands.at(-1)).toBe('close');
  await program.verify();
});

/** How many of these pages a process has. */
async function presentPages(pid: number, start: number, count: number): Promise<number> {
  await using file = await open(`/proc/${pid}/pagemap`);
  const entries = new BigUint64Array(count);
  await file.read(new Uint8Array(entries.buffer), 0, count * 8, (start / PAGE) * 8);
  return entries.filter((entry) => entry >> 63n).length;
}

test('pages that come first are there before the processes run, and the daemon says which were waited for', async () => {
  const criu = client();
  const { memory: program, imagesDirectory } = await dumpedMemory(criu, 16);
  const memory = (await lazyMemoryIn('test', imagesDirectory)) as LazyMemory;
  const ranges = memory.get(program.pid) ?? [];
  const [largest] = [...ranges].sort((one, other) => other.count - one.count);
  const { start = 0, count = 0 } = largest ?? {};
  expect(count).toBeGreaterThan(500);
  const firstPages = new FirstPages(memory);
  const first = { start: start + 200 * PAGE, count: 100 };
  firstPages.add(BigUint64Array.from([program.pid, first.start, first.count].map(BigInt)));

  const present = (from: number, pages: number) => presentPages(program.pid, from, pages);
  const counts: number[] = [];
  const preResume = async () => {
    const areThere = async () => (await present(first.start, first.count)) === first.count;
    await waitFor(areThere, 'the first pages are there');
    counts.push(await present(start, 200), await present(start + 300 * PAGE, count - 300));
  };
  const waited: bigint[] = [];
  const { pagesDone } = await lazyRestore(
    { path: criuPath(), defaults: {} },
    // Nothing is delivered in the background until this hook is done.
    { imagesDirectory, hooks: { preResume, postResume: () => program.writesOn() } },
    { memory: firstPages.marked, onWaited: (pages) => void waited.push(...pages) },
  );
  expect(counts).toEqual([0, 0]);
  await pagesDone;
  await program.verify();
  await waitFor(() => waited.length > 0, 'the daemon has said what was waited for');
  expect(waited.length % 3).toBe(0);
  for (let at = 0; at < waited.length; at += 3) {
    const [pid, address, pages] = waited.slice(at, at + 3).map(Number) as [number, number, number];
    const isIn = (range: LazyRange) =>
      range.start <= address && address + pages * PAGE <= range.start + range.count * PAGE;
    expect({ pid, isIn: ranges.some(isIn) }).toEqual({ pid: program.pid, isIn: true });
  }
});

test.each([
  ['the connection to the source has ended', () => undefined],
  [
    'the source has answered something else than it was asked',
    ({ pid, start }: { pid: number; start: number }) => addMessage(pid, [start + PAGE, 1, PRESENT]),
  ],
])('processes are killed if their memory does not come: %s', async (reason, misbehave) => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 64);
  const read = await makeLazy(imagesDirectory);
  const before = await holdings();
  let isRestored = false;
  const { fd } = startSource((request) => {
    const { pid, start, count } = request;
    if (isRestored) return misbehave(request);
    return Buffer.concat([addMessage(pid, [start, count, PRESENT]), read(pid, start, count)]);
  });
  const hooks = {
    preResume() {
      isRestored = true;
    },
  };
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, pageServer: { fd }, hooks });
  expect(await failureOf(pagesDone)).toMatchObject({
    ...{ code: 'ERR_CRIU_LAZY_PAGES', operation: 'lazyRestore', workload: 'gone' },
    message: `lazyRestore: ${reason} (process ${memory.pid} was killed, since some of its memory is missing)`,
  });
  await waitGone(memory.pid);
  expect((await holdings()).children).toEqual(before.children);
});

test('processes are killed if a file lacks some of their memory', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 64);
  const before = await holdings();
  const pages = join(imagesDirectory, 'pages-1.img');
  const hooks = {
    async preResume() {
      const file = await open(pages);
      const { size } = await file.stat();
      await file.close();
      await truncate(pages, size / 2);
    },
  };
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, hooks });
  expect(await failureOf(pagesDone)).toMatchObject({
    ...{ code: 'ERR_CRIU_LAZY_PAGES', workload: 'gone', pid: memory.pid },
    message: expect.stringContaining(`read ${pages}: No data available (process ${memory.pid} was`),
  });
  await waitGone(memory.pid);
  expect(await holdings()).toEqual(before);
});

test('compressed images are left to the daemon of CRIU', async () => {
  const { imagesDirectory } = await dumpedMemory(client(), 4);
  expect(
    countLazyPages((await lazyMemoryIn('test', imagesDirectory)) ?? new Map()),
  ).toBeGreaterThan(1024);
  await execa(resolve('.cache/crit/python'), [
    '-m',
    'crit',
    'compress',
    '--in-place',
    imagesDirectory,
  ]);
  expect(await lazyMemoryIn('test', imagesDirectory)).toBeUndefined();
});
