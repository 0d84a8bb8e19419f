import { chmod, mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CheckpointStore, type Criu, verifyImages } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { client, startCounter, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

async function newStore(criu: Criu = client()) {
  const directory = await temporaryDirectory();
  return new CheckpointStore(directory, { criu });
}

test('checkpoints have names, are listed from the newest on, and can be restored and removed', async () => {
  const store = await newStore();
  const counter = await startCounter();
  const { pid } = counter;
  const dumps = [];
  for (const name of ['web', 'web', 'db']) {
    dumps.push(await store.checkpoint(pid, { name, leaveRunning: true }));
  }
  const [first, second, third] = dumps.map(({ dump, ...checkpoint }) => {
    expect(dump.pid).toBe(pid);
    return checkpoint;
  });
  expect(await store.list()).toEqual([third, second, first]);
  expect(await store.list({ name: 'web' })).toEqual([second, first]);
  expect(await store.latest('web')).toEqual(second);
  expect(await store.latest('app')).toBeUndefined();
  expect(second).toMatchObject({ name: 'web', pid, parent: undefined });
  expect(await store.get(second?.id as string)).toEqual(second);
  expect(await store.size({ name: 'db' })).toBe(third?.bytes);

  process.kill(pid, 'SIGKILL');
  await waitGone(pid);
  const numbers = await counter.numbers();
  expect(await store.restore(second?.id as string)).toMatchObject({ pid });
  await counter.countsOn();
  // It goes on from its checkpoint, not from its end.
  expect((await counter.numbers()).length).toBeGreaterThan(numbers.length);
  await store.remove(second?.id as string);
  expect(await store.list()).toEqual([third, first]);
  expect(await readdir(store.directory)).toHaveLength(2);
});

test('incremental checkpoints are restored with their parents, which stay', async () => {
  const store = await newStore();
  const memory = await startMemoryWorkload({ heapMiB: 4, hotMiB: 1, pagesPerSecond: 1000 });
  const options = { name: 'memory', leaveRunning: true, incremental: true };
  const full = await store.checkpoint(memory.pid, options);
  await memory.writesOn();
  const { leaveRunning: _, ...last } = options;
  const next = await store.checkpoint(memory.pid, last);
  await waitGone(memory.pid);
  expect(full.parent).toBeUndefined();
  expect(next.parent).toBe(full.id);
  expect(next.bytes).toBeLessThan(full.bytes / 2);
  expect(await verifyImages(next.directory, { deep: true })).toEqual([]);
  expect(await failureOf(store.remove(full.id))).toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'id' },
    message: expect.stringContaining(next.id),
  });
  expect(await store.prune({ keepLast: 1 })).toEqual([]);
  const restored = await store.restore(next.id);
  await memory.verify(async () => restored.kill('SIGUSR1'));

  // Another process, or another life of this one, begins a new chain.
  const anew = await store.checkpoint(memory.pid, options);
  expect(anew.parent).toBeUndefined();
  expect(await store.prune({ keepLast: 1, dryRun: true })).toHaveLength(2);
  expect((await store.prune({ keepLast: 1 })).map(({ id }) => id)).toEqual([next.id, full.id]);
  expect(await store.list()).toHaveLength(1);
});

describe('with other processes', () => {
  test('a checkpoint that is used is not removed', async () => {
    const store = await newStore();
    const { pid } = await startCounter();
    const { id, directory } = await store.checkpoint(pid, { name: 'a', leaveRunning: true });
    await store.checkpoint(pid, { name: 'a', leaveRunning: true });
    const used = await store.use(id, async (checkpoint) => {
      expect(checkpoint).toEqual(await store.get(id));
      expect(await failureOf(store.remove(id))).toMatchObject({ code: 'ERR_CRIU_BUSY' });
      expect(await store.prune({ keepLast: 1 })).toEqual([]);
      return checkpoint.directory;
    });
    expect(used).toBe(directory);
    expect(await store.prune({ keepLast: 1 })).toMatchObject([{ id }]);
    await noteFault('store', {
      fault: 'a checkpoint removed while it is being restored',
      error: 'ERR_CRIU_BUSY; `prune` leaves it',
      workload: 'runs on',
      left: 'the checkpoint',
    });
  });

  test('many at once leave each checkpoint whole, or none', async () => {
    const store = await newStore();
    const counters = await Promise.all([startCounter(), startCounter(), startCounter()]);
    const work = counters.map(async ({ pid }, index) => {
      const name = `program-${index}`;
      for (let times = 0; times < 4; times++) {
        await store.checkpoint(pid, { name, leaveRunning: true, durable: false });
        await store.prune({ keepLast: 1 + (times % 2) });
        for (const { directory } of await store.list()) {
          // Another may have removed it by now; what is listed is never incomplete.
          const names = await readdir(directory).catch(() => undefined);
          if (names) expect(names).toContain('inventory.img');
        }
      }
    });
    await Promise.all(work);
    await store.prune({ keepLast: 1 });
    const all = await store.list();
    expect(all.map(({ name }) => name).sort()).toEqual(['program-0', 'program-1', 'program-2']);
    for (const { directory } of all)
      expect(await verifyImages(directory, { deep: true })).toEqual([]);
    expect(await readdir(store.directory)).toHaveLength(3);
  });
});

test('the log of a checkpoint that fails stays for a day', async () => {
  const store = await newStore();
  const { pid } = await startCounter();
  const refusing = {
    hooks: {
      postDump() {
        throw new Error('no');
      },
    },
  };
  const error = await failureOf(store.checkpoint(pid, { name: 'a', ...refusing }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
  expect((await stat(error.log?.path as string)).isFile()).toBe(true);
  const [left = ''] = await readdir(store.directory);
  await store.checkpoint(pid, { name: 'b', leaveRunning: true });
  expect(await readdir(store.directory)).toHaveLength(2);
  const yesterday = Date.now() / 1000 - 25 * 60 * 60;
  await utimes(join(store.directory, left), yesterday, yesterday);
  await store.prune({ keepLast: 1 });
  expect(await readdir(store.directory)).toHaveLength(1);
  expect(await store.list()).toMatchObject([{ name: 'b' }]);
});

test('bad input is refused', async () => {
  const store = await newStore();
  const { pid } = await startCounter();
  const wrong = (option: string) => ({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
  for (const name of ['', '.hidden', 'a/b', '../a', 'a'.repeat(101), 5 as unknown as string]) {
    expect(await failureOf(store.checkpoint(pid, { name })), name).toMatchObject(wrong('name'));
  }
  const given = { name: 'a', imagesDirectory: '/tmp/images' } as { name: string };
  expect(await failureOf(store.checkpoint(pid, given))).toMatchObject(wrong('imagesDirectory'));
  for (const target of [0, '1', {}, { pid }] as number[]) {
    expect(await failureOf(store.checkpoint(target, { name: 'a' }))).toMatchObject(wrong('target'));
  }
  expect(await failureOf(store.prune({}))).toMatchObject(wrong('keepLast'));
  expect(await failureOf(store.prune({ keepLast: -1 }))).toMatchObject(wrong('keepLast'));
  expect(await failureOf(store.prune({ maxBytes: '1' as unknown as number }))).toMatchObject(
    wrong('maxBytes'),
  );
  for (const id of ['a', '../..', 'a.20261129T000000000Z-000000']) {
    expect(await failureOf(store.restore(id)), id).toMatchObject(wrong('id'));
    expect(await failureOf(store.remove(id)), id).toMatchObject(wrong('id'));
    expect(await failureOf(store.use(id, String)), id).toMatchObject(wrong('id'));
  }
  expect(() => new CheckpointStore('')).toThrow(expect.objectContaining(wrong('directory')));
  expect(() => new CheckpointStore('/tmp/a', { criu: {} as Criu })).toThrow(
    expect.objectContaining(wrong('criu')),
  );
  expect(await readdir(store.directory)).toEqual([]);
});

test('a directory to which others can write is refused, and other files in it stay', async () => {
  const store = await newStore();
  const { pid } = await startCounter();
  await chmod(store.directory, 0o777);
  expect(await failureOf(store.checkpoint(pid, { name: 'a' }))).toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'directory' },
  });
  await chmod(store.directory, 0o700);
  await writeFile(join(store.directory, 'notes'), '');
  await mkdir(join(store.directory, 'a.b'));
  await store.checkpoint(pid, { name: 'a', leaveRunning: true });
  await store.prune({ keepLast: 1 });
  expect(await readdir(store.directory)).toEqual(expect.arrayContaining(['notes', 'a.b']));
  expect(await store.list()).toHaveLength(1);
});
