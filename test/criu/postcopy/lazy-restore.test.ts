import { getEventListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { lazyRestore } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { daemonOf, heldUp, servesUntil } from '../../helpers/lazy-daemon.ts';
import { dumpedMemoryTree } from '../../helpers/memory-tree.ts';
import { dumpedMemory } from '../../helpers/memory-workload.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { client, isAlive, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

test('a process runs before its memory has come from the images, and then that is whole', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 256);
  const before = await holdings();
  const { restored, pagesDone } = await heldUp(criu, before, { imagesDirectory });
  expect(restored.pid).toBe(memory.pid);
  const daemon = await daemonOf(before);
  let writes = false;
  const writing = memory.writesOn().then(() => {
    writes = true;
  });
  await servesUntil(daemon, () => writes);
  await writing;
  expect(await isAlive(daemon)).toBe(true);
  process.kill(daemon, 'SIGCONT');
  const { pages, bytes, durationMs } = await pagesDone;
  expect(pages).toBeGreaterThanOrEqual((256 << 20) / 4096);
  expect(bytes).toBe(pages * 4096);
  expect(durationMs).toBeGreaterThan(0);
  await memory.verify();
  await memory.writesOn();
  expect(restored.kill('SIGKILL')).toBe(true);
  await restored.exited;
  expect(await holdings()).toEqual(before);
});

test('lazyRestore() does so for a directory', async () => {
  const { memory, imagesDirectory } = await dumpedMemory(client(), 32);
  const restoring = lazyRestore(imagesDirectory, { path: criuPath() });
  const { restored, pagesDone } = await restoring;
  expect(restored.pid).toBe(memory.pid);
  await pagesDone;
  await memory.verify();
});

test('a daemon and a restore can be started one by one', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 64);
  const daemon = await criu.lazyPages({ imagesDirectory });
  await daemon.ready;
  expect(daemon.socketPath).toBe(`${imagesDirectory}/lazy-pages.socket`);
  expect(await children()).toContain(daemon.pid);
  await criu.restore({ imagesDirectory, lazyPages: true });
  const { pages } = await daemon.done;
  expect(pages).toBeGreaterThanOrEqual((64 << 20) / 4096);
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  await waitGone(daemon.pid);
  await memory.verify();
  await daemon.close();
});

test('a daemon that nobody needs is closed', async () => {
  const criu = client();
  const { imagesDirectory } = await dumpedMemory(criu, 4);
  const before = await holdings();
  const daemon = await criu.lazyPages({ imagesDirectory });
  await daemon.ready;
  await daemon.close();
  await daemon.close();
  expect(await daemon.exited).toMatchObject({ signal: 'SIGTERM' });
  await expect(daemon.done).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
  await waitGone(daemon.pid);
  expect(await holdings()).toEqual(before);
  // Another one can take its place.
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  await pagesDone;
});

test('the process may be a child of this one', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 32);
  const { restored, pagesDone } = await criu.lazyRestore({
    imagesDirectory,
    asChild: true,
  });
  expect(await children()).toContain(restored.pid);
  await pagesDone;
  await memory.verify();
  restored.kill('SIGKILL');
  expect(await restored.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('each process of a tree gets its own memory', async () => {
  const criu = client();
  const { brood, imagesDirectory } = await dumpedMemoryTree(criu, 32, 3);
  const { signal } = new AbortController();
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, signal });
  const { pages } = await pagesDone;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(pages).toBeGreaterThanOrEqual((4 * (32 << 20)) / 4096);
  await Promise.all(brood.members.map((member) => member.looksAtAll()));
  expect(await brood.wrong()).toBe('');
});

test('a process may end while memory is on the way', async () => {
  const criu = client();
  const { brood, imagesDirectory } = await dumpedMemoryTree(criu, 64, 2);
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  const [parent, leaver, other] = brood.members;
  const pid = (await leaver?.pid()) ?? 0;
  process.kill(pid, 'SIGUSR2');
  await waitFor(async () => !(await isAlive(pid)), 'it has ended');
  await pagesDone;
  await parent?.looksAtAll();
  await other?.looksAtAll();
  expect(await brood.wrong()).toBe('');
});

test('a process may fork while its memory is on the way', async () => {
  const criu = client();
  const { brood, imagesDirectory } = await dumpedMemoryTree(criu, 256, 0);
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  process.kill(brood.pid, 'SIGUSR1');
  const child = brood.forked(0, 1);
  await child.looksOn();
  await pagesDone;
  await child.looksOn();
  await brood.members[0]?.looksOn();
  expect(await brood.wrong()).toBe('');
});

test('a daemon is not started on images that cannot be read, and the error names the file', async () => {
  const imagesDirectory = await temporaryDirectory();
  const path = join(imagesDirectory, 'pagemap-1.img');
  await writeFile(path, 'no image');
  expect(await failureOf(client().lazyPages({ imagesDirectory }))).toMatchObject({
    code: 'ERR_CRIU_BAD_IMAGE',
    operation: 'lazyPages',
    message: `lazyPages: ${path} is not a CRIU pagemap image`,
  });
});
