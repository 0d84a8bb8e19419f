import { createHash } from 'node:crypto';
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { mergeImages, readMemory } from '../../../src/images.ts';
import { type DumpOptions, verifyImages } from '../../../src/index.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { client, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

/** A digest of the memory of a process, with the addresses of its pages. */
async function digestOf(directory: string, pid: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const { address, bytes } of readMemory(directory, { pid })) {
    for (let at = 0; at < bytes.length; at += 4096) {
      hash.update(`${address + BigInt(at)}`).update(bytes.subarray(at, at + 4096));
    }
  }
  return hash.digest('hex');
}

/** Restores processes as a user of CRIU does, without this library. */
async function restoreByCommand(directory: string): Promise<void> {
  await execa(criuPath(), ['restore', '-d', '-D', directory, '-o', 'restore.log']);
}

test('a chain of dumps becomes one set of images, from which the same memory is restored', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 6, hotMiB: 1, pagesPerSecond: 1000 });
  const base = await temporaryDirectory();
  const chain = join(base, 'chain');
  const dump = async (name: string, options: Partial<DumpOptions>) => {
    await memory.writesOn();
    await criu.dump(memory.pid, { imagesDirectory: join(chain, name), durable: false, ...options });
  };
  await dump('0', { leaveRunning: true, trackMem: true });
  await dump('1', { leaveRunning: true, parentImage: '../0' });
  await dump('2', { parentImage: '../1' });
  await waitGone(memory.pid);

  const [last, target] = [join(chain, '2'), join(base, 'merged')];
  const digest = await digestOf(last, memory.pid);
  const { rounds, bytesOfMemory } = await mergeImages(last, target);
  expect(rounds).toBe(3);
  expect(bytesOfMemory).toBeGreaterThan(6 * 2 ** 20);
  expect(await digestOf(target, memory.pid)).toBe(digest);

  // Compressed pages of one round, and plain ones of others.
  const compressed = join(base, 'compressed');
  await cp(chain, compressed, { recursive: true, verbatimSymlinks: true });
  await execa(resolve('.cache/crit/python'), [
    ...['-m', 'crit', 'compress', '--in-place', join(compressed, '1')],
  ]);
  await execa(resolve('.cache/crit/python'), [
    ...['-m', 'crit', 'compress', '--in-place', join(compressed, '2')],
  ]);
  await mergeImages(join(compressed, '2'), target, { overwrite: true });
  expect(await digestOf(target, memory.pid)).toBe(digest);

  await rm(chain, { recursive: true });
  await rm(compressed, { recursive: true });
  expect(await verifyImages(target, { deep: true })).toEqual([]);
  expect((await stat(target)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(target)) {
    expect((await stat(join(target, name))).mode & 0o777, name).toBe(0o600);
  }
  expect(await readdir(base)).toEqual(['merged']);
  await restoreByCommand(target);
  await memory.verify();
  await memory.writesOn();
});

test('memory that was mapped, moved and emptied between the dumps is merged', async () => {
  const criu = client();
  const { pid, verify } = await startRemapWorkload();
  const base = await temporaryDirectory();
  const dump = (name: string, options: Partial<DumpOptions>) =>
    criu.dump(pid, { imagesDirectory: join(base, name), durable: false, ...options });
  await dump('0', { leaveRunning: true });
  await dump('1', { parentImage: '../0' });
  await waitGone(pid);
  const target = join(base, 'a', 'merged');
  expect(await mergeImages(join(base, '1'), target)).toMatchObject({ rounds: 2 });
  expect(await verifyImages(target)).toEqual([]);
  await restoreByCommand(target);
  await verify();
});
