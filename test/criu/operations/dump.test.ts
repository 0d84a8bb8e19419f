import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readDumpStats } from '../../../src/index.ts';
import { countsInOrder, startFamily } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { holdings } from '../../helpers/own-resources.ts';
import {
  client,
  isAlive,
  startCounter,
  startProgram,
  temporaryDirectory,
  waitFor,
  waitGone,
  waitStopped,
} from '../../helpers/workload.ts';

test('a dumped process is gone, and the restored one continues where it stopped', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();

  const result = await criu.dump(counter.pid, { imagesDirectory });
  await counter.ended;
  expect(await isAlive(counter.pid)).toBe(false);
  expect(result).toMatchObject({ pid: counter.pid, imagesDirectory });
  expect(result.stats.pagesWritten).toBeGreaterThan(10);

  const restored = await criu.restore({ imagesDirectory });
  expect(restored.pid).toBe(counter.pid);
  await counter.countsOn();
  const numbers = await counter.numbers();
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('with leaveRunning the process runs on, and its images can be restored later', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory, leaveRunning: true });
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);

  process.kill(counter.pid, 'SIGKILL');
  await counter.ended;
  const last = await counter.count();
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  // It continues from the dump: numbers counted since then appear twice.
  const numbers = await counter.numbers();
  const again = numbers.findIndex((number, index) => number !== index + 1);
  expect(again).toBe(last);
  expect(numbers[again]).toBeLessThanOrEqual(last);
  expect(numbers[again]).toBeGreaterThan(1);
});

test('with leaveStopped the process is stopped, and continues after SIGCONT', async () => {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await client().dump(counter.pid, { imagesDirectory, leaveStopped: true });
  await waitStopped(counter.pid);
  process.kill(counter.pid, 'SIGCONT');
  await counter.countsOn();
  expect(await countsInOrder(counter)).toBe(true);
});

test('a whole tree is dumped', async () => {
  const { pid, members } = await startFamily();
  const imagesDirectory = await temporaryDirectory();
  await client().dump(pid, { imagesDirectory });
  const cores = (await readdir(imagesDirectory)).filter((name) => name.startsWith('core-'));
  expect(cores).toHaveLength(4);
  const pids = cores.map((name) => Number.parseInt(name.slice('core-'.length), 10));
  for (const each of pids) await waitGone(each);
  expect(await Promise.all(members.map(countsInOrder))).toEqual([true, true, true, true]);
});

test('log and statistics go to the work directory, images to theirs', async () => {
  const counter = await startCounter();
  const imagesDirectory = join(await temporaryDirectory(), 'deep/down');
  const workDirectory = join(await temporaryDirectory(), 'work');
  const { log, stats } = await client().dump(counter.pid, { imagesDirectory, workDirectory });
  expect((await readdir(workDirectory)).sort()).toEqual(['dump.log', 'stats-dump']);
  const images = await readdir(imagesDirectory);
  expect(images).toContain('inventory.img');
  expect(images.filter((name) => !name.endsWith('.img'))).toEqual(['node-criu.json']);
  expect(log?.path).toBe(join(workDirectory, 'dump.log'));
  expect(await readDumpStats(workDirectory)).toEqual(stats);
});

test('without a work directory log and statistics go to the images', async () => {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const { log, stats } = await client().dump(counter.pid, { imagesDirectory });
  expect(log?.path).toBe(join(imagesDirectory, 'dump.log'));
  expect(await readDumpStats(imagesDirectory)).toEqual(stats);
});

test('directories can be given as descriptors, which stay the caller’s', async () => {
  const counter = await startCounter();
  const parent = await temporaryDirectory();
  const [images, work] = [join(parent, 'images'), join(parent, 'work')];
  await Promise.all([mkdir(images), mkdir(work)]);
  const handles = await Promise.all([open(images), open(work)]);
  onTestFinished(async () => void (await Promise.all(handles.map((handle) => handle.close()))));
  const [imagesHandle, workHandle] = handles;
  const result = await client().dump(counter.pid, {
    imagesDirectory: imagesHandle,
    workDirectory: workHandle.fd,
  });
  expect(result.imagesDirectory).toBe(images);
  expect(await readdir(images)).toContain('inventory.img');
  expect((await readdir(work)).sort()).toEqual(['dump.log', 'stats-dump']);
  expect((await imagesHandle.stat()).isDirectory()).toBe(true);
  expect((await workHandle.stat()).isDirectory()).toBe(true);
});

test('a relative directory is resolved in this process’s working directory', async () => {
  const counter = await startCounter();
  const directory = await temporaryDirectory();
  await client().dump(counter.pid, { imagesDirectory: relative(process.cwd(), directory) });
  expect(await readdir(directory)).toContain('inventory.img');
});

test('no other user can read the images, whatever the umask', async () => {
  const counter = await startCounter();
  const parent = await temporaryDirectory();
  const imagesDirectory = join(parent, 'images/1');
  const workDirectory = join(parent, 'work');
  const before = process.umask(0);
  try {
    await client().dump(counter.pid, { imagesDirectory, workDirectory });
    expect(process.umask()).toBe(0);
  } finally {
    process.umask(before);
  }
  for (const directory of [imagesDirectory, workDirectory, join(parent, 'images')]) {
    expect([directory, (await stat(directory)).mode & 0o777]).toEqual([directory, 0o700]);
  }
  for (const directory of [imagesDirectory, workDirectory]) {
    const names = await readdir(directory);
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const { mode } = await stat(join(directory, name));
      expect([name, mode & 0o177]).toEqual([name, 0]);
    }
  }
});

test('the log has the name and the detail that are asked for', async () => {
  const criu = client();
  const counter = await startCounter();
  const logged = async (logLevel: 1 | 4) => {
    const logFile = `of-level-${logLevel}.log`;
    const imagesDirectory = await temporaryDirectory();
    const options = { imagesDirectory, logFile, logLevel, leaveRunning: true };
    const { log } = await criu.dump(counter.pid, options);
    expect(log?.path).toBe(join(imagesDirectory, logFile));
    expect(await readdir(imagesDirectory)).not.toContain('dump.log');
    return await readFile(join(imagesDirectory, logFile), 'utf8');
  };
  const line = `Dumping task (pid: ${counter.pid}`;
  expect(await logged(4)).toContain(line);
  expect(await logged(1)).not.toContain(line);
});

test('the statistics are those of the images', async () => {
  const criu = client();
  const [small, large] = await Promise.all([startFilled(1), startFilled(33)]);
  const dumped = async (pid: number) => {
    const imagesDirectory = await temporaryDirectory();
    const result = await criu.dump(pid, { imagesDirectory });
    const pages = (await readdir(imagesDirectory)).filter((name) => /^pages-\d+\.img$/.test(name));
    const sizes = await Promise.all(
      pages.map(async (name) => (await stat(join(imagesDirectory, name))).size),
    );
    return { ...result, size: sizes.reduce((sum, size) => sum + size, 0) };
  };
  const results = [await dumped(small), await dumped(large)] as const;
  for (const { stats, size, durationMs } of results) {
    expect(stats.bytesWritten).toBe(size);
    expect(stats.pagesWritten * stats.pageSize).toBe(size);
    expect(stats.pagesScanned).toBeGreaterThanOrEqual(stats.pagesWritten);
    expect(stats).toMatchObject({ pagesSkippedParent: 0, pagesLazy: 0, shpagesWritten: 0 });
    expect(stats.frozenTimeMs).toBeGreaterThan(0);
    expect(stats.frozenTimeMs).toBeLessThan(durationMs);
    expect(stats.memdumpTimeMs).toBeLessThan(stats.frozenTimeMs);
  }
  const added = results[1].stats.bytesWritten - results[0].stats.bytesWritten;
  expect(Math.round(added / 2 ** 20)).toBe(32);
});

test('the event loop keeps running while a large process is dumped', async () => {
  const pid = await startFilled(200);
  const imagesDirectory = await temporaryDirectory();
  let ticks = 0;
  let written = '';
  const timer = setInterval(() => {
    if (existsSync(join(written, 'pages-1.img'))) ticks++;
  }, 1);
  const preDump = (directory: string) => {
    written = directory;
  };
  await client()
    .dump(pid, { imagesDirectory, leaveRunning: true, hooks: { preDump } })
    .finally(() => clearInterval(timer));
  expect(ticks).toBeGreaterThan(2);
  expect((await stat(join(imagesDirectory, 'pages-1.img'))).size).toBeGreaterThan(200 * 2 ** 20);
});

test('defaults apply where the operation takes them and has no option of its own', async () => {
  const counter = await startCounter();
  const workDirectory = await temporaryDirectory();
  const defaults = { leaveRunning: true, logFile: 'default.log', workDirectory, ghostLimit: 4096 };
  const criu = client({ defaults });
  await criu.dump(counter.pid, { imagesDirectory: await temporaryDirectory() });
  await counter.countsOn();
  expect(await readdir(workDirectory)).toContain('default.log');

  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory, leaveRunning: false, logFile: 'own.log' });
  await counter.ended;
  expect(await readdir(workDirectory)).toContain('own.log');
  // restore takes no leaveRunning.
  const { log } = await criu.restore({ imagesDirectory });
  await counter.countsOn();
  expect(log?.path).toBe(join(workDirectory, 'default.log'));
});

test('dumps at the same time do not disturb each other', async () => {
  const criu = client();
  await criu.version();
  const counters = await Promise.all([startCounter(), startCounter(), startCounter()]);
  const before = await holdings();
  const results = await Promise.all(
    counters.map(async ({ pid }) =>
      criu.dump(pid, { imagesDirectory: await temporaryDirectory(), leaveRunning: true }),
    ),
  );
  expect(results.map(({ pid }) => pid)).toEqual(counters.map(({ pid }) => pid));
  for (const counter of counters) await counter.countsOn();
  expect(await Promise.all(counters.map(countsInOrder))).toEqual([true, true, true]);
  expect(await holdings()).toEqual(before);
});

test('checkpoint without preDump is a dump', async () => {
  const criu = client();
  for (const options of [{}, { preDump: false }]) {
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    const { log } = await criu.checkpoint(counter.pid, { imagesDirectory, ...options });
    await counter.ended;
    expect(log?.path).toBe(join(imagesDirectory, 'dump.log'));
    expect(await readdir(imagesDirectory)).toContain('inventory.img');
  }
});

test('checkpoint with preDump is a pre-dump', async () => {
  const criu = client();
  const { memTrack } = await criu.features();
  for (const method of ['checkpoint', 'preDump'] as const) {
    const counter = await startCounter();
    const imagesDirectory = join(await temporaryDirectory(), 'images');
    const { log, stats } =
      method === 'checkpoint'
        ? await criu.checkpoint(counter.pid, { imagesDirectory, preDump: true })
        : await criu.preDump(counter.pid, { imagesDirectory });
    // Where the kernel does not track changed memory, CRIU takes no part.
    expect(log?.path).toBe(memTrack ? join(imagesDirectory, 'pre-dump.log') : undefined);
    expect(stats.pagesWritten).toBeGreaterThan(10);
    expect(await readdir(imagesDirectory)).not.toContain(`core-${counter.pid}.img`);
    await counter.countsOn();
    expect(await countsInOrder(counter)).toBe(true);
  }
});

/** Starts a program with so many MiB of memory that are not zero. */
async function startFilled(mebibytes: number): Promise<number> {
  const stdout = join(await temporaryDirectory(), 'said');
  const { pid } = await startProgram(await compileFixture('fill'), [String(mebibytes)], { stdout });
  await waitFor(async () => (await readFile(stdout, 'utf8')) === 'full\n', 'the memory is full');
  return pid;
}
