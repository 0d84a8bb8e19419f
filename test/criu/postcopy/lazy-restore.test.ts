import { getEventListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { lazyRestore } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import {
  daemonOf,
  restoreWithStoppedDaemon,
  serveStepwiseUntil,
} from '../../helpers/lazy-daemon.ts';
import { dumpedMemoryTree } from '../../helpers/memory-tree.ts';
import { dumpedMemory } from '../../helpers/memory-workload.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { RecordingHooks } from '../../helpers/recording-hooks.ts';
import { client, isAlive, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

test('a process runs before its memory is loaded from the images, and has all of it afterwards', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 256);
  const before = await holdings();
  const { restored, pagesDone } = await restoreWithStoppedDaemon(criu, before, { imagesDirectory });
  expect(restored.pid).toBe(memory.pid);
  const daemon = await daemonOf(before);
  let writes = false;
  const writing = memory.writesOn().then(() => {
    writes = true;
  });
  await serveStepwiseUntil(daemon, () => writes);
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

test('lazyRestore() takes a directory', async () => {
  const { memory, imagesDirectory } = await dumpedMemory(client(), 32);
  const restoring = lazyRestore(imagesDirectory, { path: criuPath() });
  const { restored, pagesDone } = await restoring;
  expect(restored.pid).toBe(memory.pid);
  await pagesDone;
  await memory.verify();
});

test('hooks of a class are called as its methods', async () => {
  const criu = client();
  const { memory, imagesDirectory } = await dumpedMemory(criu, 4);
  const hooks = new RecordingHooks();
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, hooks });
  await pagesDone;
  expect(hooks.called).toEqual(['preRestore', 'postRestore']);
  await memory.verify();
});

test('a daemon and a restore can be started separately', async () => {
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

test('an unused daemon can be closed', async () => {
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
  // Another daemon can use the same directory.
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  await pagesDone;
});

test('asChild makes the restored process a child of this one', async () => {
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
  const { tree, imagesDirectory } = await dumpedMemoryTree(criu, 32, 3);
  const { signal } = new AbortController();
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory, signal });
  const { pages } = await pagesDone;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(pages).toBeGreaterThanOrEqual((4 * (32 << 20)) / 4096);
  await Promise.all(tree.members.map((member) => member.readsAll()));
  expect(await tree.wrongPages()).toBe('');
});

test('a process may end while memory is still loaded', async () => {
  const criu = client();
  const { tree, imagesDirectory } = await dumpedMemoryTree(criu, 64, 2);
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  const [parent, leaver, other] = tree.members;
  const pid = (await leaver?.pid()) ?? 0;
  process.kill(pid, 'SIGUSR2');
  await waitFor(async () => !(await isAlive(pid)), 'the process has ended');
  await pagesDone;
  await parent?.readsAll();
  await other?.readsAll();
  expect(await tree.wrongPages()).toBe('');
});

test('a process may fork while its memory is still loaded', async () => {
  const criu = client();
  const { tree, imagesDirectory } = await dumpedMemoryTree(criu, 256, 0);
  const { pagesDone } = await criu.lazyRestore({ imagesDirectory });
  process.kill(tree.pid, 'SIGUSR1');
  const child = tree.forkOf(0, 1);
  await child.readsOn();
  await pagesDone;
  await child.readsOn();
  await tree.members[0]?.readsOn();
  expect(await tree.wrongPages()).toBe('');
});

test('lazyPages() refuses damaged images, and names the file', async () => {
  const imagesDirectory = await temporaryDirectory();
  const path = join(imagesDirectory, 'pagemap-1.img');
  await writeFile(path, 'no image');
  expect(await failureOf(client().lazyPages({ imagesDirectory }))).toMatchObject({
    code: 'ERR_CRIU_BAD_IMAGE',
    operation: 'lazyPages',
    message: `lazyPages: ${path} is not a CRIU pagemap image`,
  });
});
