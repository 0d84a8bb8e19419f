import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { CheckpointStore, type Criu, verifyImages } from '../../../src/index.ts';
import { runningCriu, steps } from '../../helpers/checkpoints.ts';
import { ready } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import {
  client,
  isAlive,
  processState,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

async function newStore(criu: Criu = client()) {
  return new CheckpointStore(await temporaryDirectory(), { criu });
}

/** Waits for a file in a directory, looking as often as possible. */
async function sees(directory: string, isIt: (name: string) => boolean): Promise<string> {
  for (;;) {
    const found = (await readdir(directory).catch(() => [])).find(isIt);
    if (found) return found;
    await turn();
  }
}

describe('a checkpoint', () => {
  test.each(['preDump', 'queryExtFiles', 'postDump'] as const)(
    'is not listed if its caller is killed at %s, and removed by the next',
    async (killAt) => {
      const store = await newStore();
      const counter = await startCounter();
      const { directory } = store;
      const other = await LibraryProcess.start();
      const { pid } = counter;
      expect(await other.do('checkpoint', { directory, pid, killAt })).toBe('ended');
      await counter.countsOn();
      expect(await store.list()).toEqual([]);
      expect(await readdir(directory)).toHaveLength(1);
      const { id } = await store.checkpoint(pid, { name: 'a' });
      expect(await readdir(directory)).toEqual([id]);
      await noteFault('store', {
        fault: `caller killed during \`checkpoint\`, at ${steps[killAt]}`,
        error: 'none: the caller is gone; criu rolls back and ends',
        workload: 'runs on',
        left: 'images that are not listed; the next `checkpoint` or `prune` removes them',
      });
    },
  );

  test('is whole if its caller is killed once the images are in place', async () => {
    const store = await newStore();
    const counter = await startCounter();
    const { directory } = store;
    const { pid } = counter;
    const other = await LibraryProcess.start();
    const making = other.do('checkpoint', { directory, pid });
    const id = await sees(directory, (name) => name.startsWith('a.'));
    await sees(join(directory, id), (name) => name === 'inventory.img');
    process.kill(other.pid, 'SIGKILL');
    await making;
    // Its criu rolls back, unless it was told to end the process before.
    await waitFor(
      async () => !(await isAlive(pid)) || !/^[tT]/.test((await processState(pid)) ?? ''),
      'criu has let go',
    );
    const [made] = await store.list();
    expect(made).toMatchObject({ id, pid });
    expect(await verifyImages(made?.directory as string, { deep: true })).toEqual([]);
    if (await isAlive(pid)) {
      await counter.countsOn();
      process.kill(pid, 'SIGKILL');
    }
    await waitGone(pid);
    await store.restore(id);
    await counter.countsOn();
    await noteFault('store', {
      fault: 'caller killed during `checkpoint`, when the images are in place',
      error: 'none: the caller is gone',
      workload: 'runs on; or gone, if CRIU was told to end it',
      left: 'the checkpoint, which is whole',
    });
  });

  test('fails if criu is killed, and the process runs on', async () => {
    const criu = client();
    const store = await newStore(criu);
    const counter = await startCounter();
    await criu.version();
    const before = await holdings();
    const hooks = { postDump: async () => void process.kill(await runningCriu(), 'SIGKILL') };
    const error = await failureOf(store.checkpoint(counter.pid, { name: 'a', hooks }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running' });
    expect(await holdings()).toEqual(before);
    await counter.countsOn();
    expect(await store.list()).toEqual([]);
    expect((await stat(error.log?.path as string)).isFile()).toBe(true);
    await noteFault('store', {
      fault: 'criu killed during `checkpoint`, at post-dump',
      error: 'ERR_CRIU_EOF',
      workload: 'runs on',
      left: 'the log, for a day',
    });
  });

  test('fails if the disk is full, and succeeds once it has space', async () => {
    const { criu, counter } = await ready('16');
    const directory = await smallDisk('4m');
    const store = new CheckpointStore(directory, { criu });
    const error = await failureOf(store.checkpoint(counter.pid, { name: 'a' }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
    expect(error.message).toContain('No space left on device');
    await counter.countsOn();
    expect(await store.list()).toEqual([]);
    await execa('mount', ['-o', 'remount,size=64m', directory]);
    const { id, directory: images } = await store.checkpoint(counter.pid, { name: 'a' });
    expect(await verifyImages(images, { deep: true })).toEqual([]);
    await store.restore(id);
    await counter.countsOn();
    await noteFault('store', {
      fault: 'disk of the store full',
      error: 'ERR_CRIU_FAILED',
      workload: 'runs on',
      left: 'the log, for a day',
    });
  });

  test('that is damaged is not restored', async () => {
    const store = await newStore();
    const { pid } = await startCounter();
    const { id, directory } = await store.checkpoint(pid, { name: 'a' });
    await waitGone(pid);
    const path = join(directory, `core-${pid}.img`);
    await rm(path);
    expect(await failureOf(store.restore(id))).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', path });
    await noteFault('store', {
      fault: 'an image of a checkpoint missing',
      error: 'ERR_CRIU_BAD_IMAGE, before criu is started',
      workload: 'nothing restored',
      left: 'the checkpoint',
    });
  });
});

test('a removal whose process is killed is completed by the next', async () => {
  const store = await newStore();
  const { pid } = await startCounter();
  const { directory } = store;
  const made = [];
  for (let times = 0; times < 2; times++) {
    made.push(await store.checkpoint(pid, { name: 'a', leaveRunning: true }));
  }
  const [first, second] = made;
  // So many that their removal takes a while.
  const files = Array.from({ length: 4000 }, (_, index) =>
    join(first?.directory as string, String(index)),
  );
  await Promise.all(files.map((file) => writeFile(file, '')));
  const other = await LibraryProcess.start();
  const pruning = other.do('prune', { directory, keepLast: 1 });
  const left = await sees(directory, (name) => name.startsWith('.removed-'));
  process.kill(other.pid, 'SIGKILL');
  expect(await pruning).toBe('ended');
  expect(await readdir(directory)).toContain(left);
  expect((await store.list()).map(({ id }) => id)).toEqual([second?.id]);
  expect(await store.prune({ keepLast: 1 })).toEqual([]);
  expect(await readdir(directory)).toEqual([second?.id]);
  expect(await verifyImages(second?.directory as string, { deep: true })).toEqual([]);
  await noteFault('store', {
    fault: 'caller killed during `prune`, while it removes files',
    error: 'none: the caller is gone',
    workload: 'runs on',
    left: 'files of a checkpoint that is not listed; the next `checkpoint` or `prune` removes them',
  });
});
