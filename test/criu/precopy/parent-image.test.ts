import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { readManifest } from '../../../src/images.ts';
import { type DumpOptions, type PreDumpOptions, verifyImages } from '../../../src/index.ts';
import { runningCriu } from '../../helpers/checkpoints.ts';
import { hookAt } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryTree } from '../../helpers/memory-tree.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

/** Restores processes as a user of CRIU does, without this library. */
async function restoreByCommand(directory: string): Promise<void> {
  await execa(criuPath(), ['restore', '-d', '-D', directory, '-o', 'restore.log']);
}

const leaveRunning = true;

test('a chain of dumps stores what has changed, and the criu command restores it', async () => {
  const criu = client();
  const { memTrack } = await criu.features();
  const [heapMiB, heapPages] = [12, 12 * 256];
  const memory = await startMemoryWorkload({ heapMiB, hotMiB: 1, pagesPerSecond: 1000 });
  const base = await temporaryDirectory();
  const dump = (name: string, options: Partial<DumpOptions>) =>
    criu.dump(memory.pid, { imagesDirectory: join(base, name), ...options });
  const first = await dump('a', { leaveRunning, trackMem: true });
  expect(first.stats.pagesWritten).toBeGreaterThan(heapPages);
  const before = await holdings();

  await memory.writesOn();
  const second = await dump('b', { leaveRunning, parentImage: '../a' });
  expect(second.stats.pagesWritten).toBeGreaterThan(0);
  expect(second.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(second.stats.pagesSkippedParent).toBeGreaterThan(0.7 * heapPages);
  expect(await holdings()).toEqual(before);

  await memory.writesOn();
  const kill = async () => process.kill(await runningCriu(), 'SIGKILL');
  const killed = failureOf(
    dump('x', { parentImage: '../b', hooks: hookAt('queryExtFiles', kill) }),
  );
  const message = expect.stringMatching(`^dump of process ${memory.pid}: `);
  expect(await killed).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running', message });
  await memory.writesOn();
  if (!memTrack) {
    expect(await failureOf(dump('b', { parentImage: '../a', overwrite: true }))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'imagesDirectory',
    });
    const refused = { code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'autoDedup' };
    expect(await failureOf(dump('y', { parentImage: '../b', autoDedup: true }))).toMatchObject(
      refused,
    );
    const missing = await failureOf(dump('y', { parentImage: '../z' }));
    expect(missing).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
    expect(missing.message).toContain(`${join(base, 'z')} is missing`);
  }
  expect(await holdings()).toEqual(before);

  const last = await dump('c', { parentImage: '../b' });
  expect(last.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(await verifyImages(last.imagesDirectory)).toEqual([]);
  await waitGone(memory.pid);
  await restoreByCommand(last.imagesDirectory);
  await memory.verify();
  await memory.writesOn();
});

test('a chain of pre-dumps ends with a dump, and the criu command restores it', async () => {
  const criu = client();
  const { memTrack } = await criu.features();
  const heapPages = 12 * 256;
  const memory = await startMemoryWorkload({ heapMiB: 12, hotMiB: 1, pagesPerSecond: 1000 });
  const base = await temporaryDirectory();
  const preDump = (name: string, options: Partial<PreDumpOptions> = {}) =>
    criu.preDump(memory.pid, { imagesDirectory: join(base, name), ...options });
  const first = await preDump('0');
  expect(first.stats.pagesWritten).toBeGreaterThan(heapPages);
  const before = await holdings();

  await memory.writesOn();
  const second = await preDump('1', { parentImage: '../0' });
  expect(second.stats.pagesWritten).toBeGreaterThan(0);
  expect(second.stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(second.stats.pagesSkippedParent).toBeGreaterThan(0.7 * heapPages);
  expect(await readManifest(join(base, '1'))).toMatchObject({ kind: 'pre-dump', parent: '../0' });
  if (!memTrack) {
    expect(second.stats.frozenTimeMs).toBe(0);
    const refused = { code: 'ERR_CRIU_INVALID_ARGUMENT' };
    for (const [option, name, given] of [
      ['imagesDirectory', '1', { parentImage: '../0' }],
      ['pageServer', 'x', { pageServer: { address: '127.0.0.1', port: 1 } }],
    ] as const) {
      expect(await failureOf(preDump(name, given))).toMatchObject({ ...refused, option });
    }
    expect(await failureOf(preDump('x', { parentImage: '../z' }))).toMatchObject({
      code: 'ERR_CRIU_BAD_IMAGE',
      message: expect.stringContaining(`${join(base, 'z')} is missing`),
    });
    expect(existsSync(join(base, 'x'))).toBe(false);
  }

  expect(await holdings()).toEqual(before);
  const dump = { imagesDirectory: join(base, '2'), parentImage: '../1' };
  const { stats } = await criu.dump(memory.pid, { ...dump, trackMem: true });
  expect(stats.pagesWritten).toBeLessThan(heapPages / 4);
  expect(await verifyImages(dump.imagesDirectory, { deep: true })).toEqual([]);
  await waitGone(memory.pid);
  await restoreByCommand(dump.imagesDirectory);
  await memory.verify();
});

test('a pre-dump that fails leaves its directory without images, and the processes alone', async () => {
  const criu = client();
  const disk = await smallDisk('2m');
  const memory = await startMemoryWorkload({ heapMiB: 12, hotMiB: 1, pagesPerSecond: 1000 });
  await writeFile(join(disk, 'own'), 'not ours');
  const before = await holdings();
  expect(await failureOf(criu.preDump(memory.pid, { imagesDirectory: disk }))).toMatchObject({
    ...{ operation: 'preDump', workload: 'running' },
    message: expect.stringMatching(/No space left|ENOSPC|no space left/),
  });
  const signal = AbortSignal.abort();
  expect(
    await failureOf(criu.preDump(memory.pid, { imagesDirectory: disk, signal })),
  ).toMatchObject({ code: 'ERR_CRIU_ABORTED', operation: 'preDump' });
  expect((await readdir(disk)).filter((name) => name.endsWith('.img'))).toEqual([]);
  expect(await readFile(join(disk, 'own'), 'utf8')).toBe('not ours');
  expect(await holdings()).toEqual(before);
  await memory.writesOn();
  await memory.verify();
});

test('a process that the parent images do not have is dumped as a whole', async () => {
  const criu = client();
  const tree = await startMemoryTree(2, 1);
  const base = await temporaryDirectory();
  await criu.dump(tree.pid, { imagesDirectory: join(base, 'a'), leaveRunning });
  process.kill(await (tree.members[1] as (typeof tree.members)[number]).pid(), 'SIGUSR1');
  const forked = tree.forkOf(1, 1);
  await forked.readsOn();
  const imagesDirectory = join(base, 'b');
  const { stats } = await criu.dump(tree.pid, { imagesDirectory, parentImage: '../a' });
  expect(stats.pagesWritten).toBeGreaterThan(512);
  expect(stats.pagesSkippedParent).toBeGreaterThan(2 * 500);
  await waitGone(tree.pid);
  await restoreByCommand(imagesDirectory);
  for (const member of [...tree.members, forked]) await member.readsAll();
  expect(await tree.wrongPages()).toBe('');
});

test('memory that is mapped, moved and emptied between the dumps is complete', async () => {
  const criu = client();
  const { pid, verify } = await startRemapWorkload();
  const base = await temporaryDirectory();
  const dump = (name: string, options: Partial<DumpOptions>) =>
    criu.dump(pid, { imagesDirectory: join(base, name), durable: false, ...options });
  await dump('0', { leaveRunning });
  for (const name of [1, 2]) {
    const options = { parentImage: `../${name - 1}`, leaveRunning: name < 2 };
    expect((await dump(String(name), options)).stats.pagesSkippedParent).toBeGreaterThan(0);
  }
  expect(await verifyImages(join(base, '2'))).toEqual([]);
  await waitGone(pid);
  await restoreByCommand(join(base, '2'));
  await verify();
});
