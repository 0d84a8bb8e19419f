import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { treePids } from '../../../src/images/pstree.ts';
import type { Criu } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { sample } from '../../helpers/sample.ts';
import {
  client,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** Makes a round and the dump, and returns the directory and what the dump copied. */
async function dumpByComparing(criu: Criu, pid: number) {
  const imagesDirectory = await temporaryDirectory();
  const options = { imagesDirectory, tracking: 'compare', durable: false } as const;
  await using iteration = await criu.iterate(pid, options);
  const first = await iteration.preDump();
  const { directory, stats } = await iteration.dump();
  for (const each of treePids(directory)) await waitGone(each);
  return { imagesDirectory: directory, first: first.stats, last: stats };
}

test('a tree of many processes has all its memory after a dump that compares', async () => {
  const criu = client();
  const size = sample('processes in a tree whose memory is compared', 200, 30);
  const file = join(await temporaryDirectory(), 'counts');
  const { pid } = await startProgram(await compileFixture('crowd'), [String(size), file]);
  const counts = async () => {
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    return Array.from({ length: bytes.length >> 2 }, (_, place) => bytes.readUInt32LE(4 * place));
  };
  const all = async (least: readonly number[]) => {
    const now = await counts();
    return now.length === size && now.every((count, place) => count > (least[place] ?? 5));
  };
  await waitFor(() => all([]), 'all processes count');
  const { imagesDirectory, last } = await dumpByComparing(criu, pid);
  expect(treePids(imagesDirectory)).toHaveLength(size);
  expect(last.pagesSkippedParent).toBeGreaterThan(size);
  const before = await counts();
  await criu.restore({ imagesDirectory });
  await waitFor(() => all(before), 'all processes count on');
});

test('of a sparse mapping of 10 GiB only its pages are read', async () => {
  const criu = client();
  const pages = 2000;
  const stdout = join(await temporaryDirectory(), 'said');
  const fixture = await compileFixture('sparse');
  const { pid } = await startProgram(fixture, ['10', String(pages)], { stdout });
  const said = async () => (await readFile(stdout, 'utf8')).split('\n').slice(0, -1);
  await waitFor(async () => (await said()).includes('ready'), 'the memory is filled');
  const { imagesDirectory, first, last } = await dumpByComparing(criu, pid);
  expect(first.pagesWritten).toBeGreaterThanOrEqual(pages);
  expect(first.pagesWritten).toBeLessThan(2 * pages);
  expect(last.pagesSkippedParent).toBeGreaterThanOrEqual(0.9 * pages);
  await criu.restore({ imagesDirectory });
  process.kill(pid, 'SIGUSR1');
  await waitFor(async () => (await said()).length > 1, 'the program has checked its memory');
  expect(await said()).toEqual(['ready', 'ok']);
});
