import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DumpOptions, verifyImages } from '../../../src/index.ts';
import { runningCriu } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import {
  type Counter,
  client,
  isAlive,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/**
 * The states of a process at each fsync: it is traced by criu and stopped, and at last it has ended, when the
 * statistics are added to the manifest.
 */
const BEFORE_THE_END = /^[tT]{6,}[Z-]$/;

describe('a directory that holds a checkpoint', () => {
  test.each(['dump', 'preDump'] as const)(
    'is refused by %s before anything starts',
    async (how) => {
      const { criu, counter, imagesDirectory } = await withCheckpoint();
      const before = await contentsOf(dirname(imagesDirectory));
      const error = await failureOf(criu[how](counter.pid, { imagesDirectory }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'imagesDirectory' });
      expect(error.message).toContain('already holds a checkpoint');
      expect(await contentsOf(dirname(imagesDirectory))).toEqual(before);
      await counter.countsOn();
    },
  );

  test.each(['inventory.img', 'pstree.img', 'core-12.img'])('is one with %s', async (name) => {
    const counter = await startCounter();
    const directory = await temporaryDirectory();
    await writeFile(join(directory, name), '');
    const images = { imagesDirectory: directory };
    expect(await failureOf(client().dump(counter.pid, images))).toMatchObject({
      option: 'imagesDirectory',
    });
  });

  test.each([{ leaveRunning: false }, { leaveRunning: true }])(
    'is replaced with overwrite and %o; other files, the log and the mode stay',
    async (options) => {
      const { criu, counter, imagesDirectory } = await withCheckpoint();
      await writeFile(join(imagesDirectory, 'mine.json'), '{}');
      await mkdir(join(imagesDirectory, 'nested'));
      await writeFile(join(imagesDirectory, 'stale-1.img'), '');
      await chmod(imagesDirectory, 0o750);
      const { count } = counter;
      const first = await count();
      await counter.countsOn();
      const given = { imagesDirectory, overwrite: true, ...options };
      const { log, stats } = await criu.dump(counter.pid, given);
      const names = await readdir(imagesDirectory);
      expect(names).toEqual(expect.arrayContaining(['mine.json', 'nested', 'stats-dump']));
      expect(names).not.toContain('stale-1.img');
      expect((await stat(imagesDirectory)).mode & 0o777).toBe(0o750);
      expect(log?.path).toBe(join(imagesDirectory, 'dump.log'));
      expect(existsSync(join(imagesDirectory, 'dump.log'))).toBe(true);
      expect(stats.pagesWritten).toBeGreaterThan(10);
      expect(await readdir(dirname(imagesDirectory))).toEqual(['images']);

      if (options.leaveRunning) process.kill(counter.pid, 'SIGKILL');
      await waitGone(counter.pid);
      const last = await count();
      await criu.restore({ imagesDirectory });
      await counter.countsOn();
      const numbers = await counter.numbers();
      const resumed = numbers.slice(numbers.indexOf(last) + 1)[0] ?? 0;
      expect(resumed).toBeGreaterThan(first);
    },
  );

  test('cannot be replaced at a mount point, which takes a first checkpoint', async () => {
    const criu = client();
    const counter = await startCounter();
    const imagesDirectory = await temporaryDirectory();
    await execa('mount', ['-t', 'tmpfs', 'node-criu', imagesDirectory]);
    onTestFinished(async () => void (await execa('umount', ['-l', imagesDirectory])));
    const given = { imagesDirectory, leaveRunning: true };
    await criu.dump(counter.pid, given);
    expect(await verifyImages(imagesDirectory)).toEqual([]);
    expect(await readdir(imagesDirectory)).not.toContainEqual(expect.stringMatching(/^\./));
    const error = await failureOf(criu.dump(counter.pid, { ...given, overwrite: true }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'imagesDirectory' });
    expect(error.message).toContain('mount point');
    expect(await verifyImages(imagesDirectory)).toEqual([]);
  });
});

type Fault = (abort: () => void) => Promise<unknown>;
const faults: Readonly<Record<string, Fault>> = {
  'whose hook throws': async () => {
    throw new Error('no');
  },
  'that is cancelled': async (abort) => abort(),
  'whose criu is killed': async () => process.kill(await runningCriu(), 'SIGKILL'),
};
const failing = Object.entries(faults).flatMap(([name, fault]) =>
  (['queryExtFiles', 'postDump'] as const).flatMap((step) =>
    [false, true].map((leaveRunning) => ({ name, fault, step, leaveRunning })),
  ),
);

describe.each(failing)('a dump $name at $step (leaveRunning: $leaveRunning)', (given) => {
  const { fault, step, leaveRunning } = given;

  function faulty(): Pick<DumpOptions, 'hooks' | 'signal' | 'leaveRunning'> {
    const controller = new AbortController();
    const hook = async () => void (await fault(() => controller.abort()));
    return { hooks: { [step]: hook }, signal: controller.signal, leaveRunning };
  }

  test('leaves only its log', async () => {
    const counter = await startCounter();
    const parent = await temporaryDirectory();
    const imagesDirectory = join(parent, 'images');
    const error = await failureOf(client().dump(counter.pid, { imagesDirectory, ...faulty() }));
    expect(error).toMatchObject({ workload: 'running' });
    expect(await readdir(imagesDirectory)).toEqual(['dump.log']);
    expect(await readdir(parent)).toEqual(['images']);
    await counter.countsOn();
  });

  test('leaves the checkpoint whole that it was to replace', async () => {
    const { criu, counter, imagesDirectory } = await withCheckpoint();
    const before = await contentsOf(dirname(imagesDirectory));
    const images = { imagesDirectory, overwrite: true };
    const error = await failureOf(criu.dump(counter.pid, { ...images, ...faulty() }));
    expect(error).toMatchObject({ workload: 'running' });
    expect(await contentsOf(dirname(imagesDirectory))).toEqual(before);
    await expectRestorable(counter, imagesDirectory);
  });
});

test('a lazy dump that does not complete leaves the checkpoint whole that it was to replace', async () => {
  const { criu, counter, imagesDirectory } = await withCheckpoint();
  const above = dirname(imagesDirectory);
  const before = await contentsOf(above);
  const source = await criu.lazyDump(counter.pid, { imagesDirectory, overwrite: true });
  const pages = await contentsOf(imagesDirectory);
  expect(Object.keys(pages)).toContain(join(imagesDirectory, 'inventory.img'));
  expect(pages).not.toEqual(before);
  await source.close();
  expect(await failureOf(source.done)).toMatchObject({ workload: 'running' });
  expect(await contentsOf(above)).toEqual(before);
  await counter.countsOn();
  await expectRestorable(counter, imagesDirectory);
});

test('the directory of a configuration file is replaced in one step as well, and durably', async () => {
  const { criu, counter, imagesDirectory } = await withCheckpoint();
  const given = await temporaryDirectory();
  const configFile = join(given, 'criu.conf');
  await writeFile(configFile, `images-dir ${imagesDirectory}`);
  const before = await contentsOf(dirname(imagesDirectory));
  const options = { imagesDirectory: join(given, 'unused'), configFile, overwrite: true };
  const hooks = { postDump: () => Promise.reject(new Error('no')) };
  const error = await failureOf(criu.dump(counter.pid, { ...options, hooks }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
  expect(await contentsOf(dirname(imagesDirectory))).toEqual(before);

  const { counter: other, dump, states } = await withFsync();
  await dump({ ...options, workDirectory: given });
  await other.ended;
  expect(await states()).toMatch(BEFORE_THE_END);
  expect(await verifyImages(imagesDirectory)).toEqual([]);
  expect(await readdir(dirname(imagesDirectory))).toEqual(['images']);
});

test('a dump with a log elsewhere that fails leaves no directory', async () => {
  const counter = await startCounter();
  const parent = await temporaryDirectory();
  const error = await failureOf(
    client().dump(counter.pid, {
      imagesDirectory: join(parent, 'deep/down'),
      workDirectory: await temporaryDirectory(),
      hooks: { postDump: () => Promise.reject(new Error('no')) },
    }),
  );
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
  expect(await readdir(parent)).toEqual([]);
});

test('with keepFailed the images of a dump that fails stay where the error says', async () => {
  const { criu, counter, imagesDirectory } = await withCheckpoint();
  const before = await contentsOf(imagesDirectory);
  const given = { imagesDirectory, overwrite: true, keepFailed: true };
  let written = '';
  const postDump = (directory: string) => {
    written = directory;
    throw new Error('no');
  };
  const error = await failureOf(criu.dump(counter.pid, { ...given, hooks: { postDump } }));
  expect(error.leftovers).toEqual([`the images in ${written}`]);
  expect(await verifyImages(written)).toEqual([]);
  expect(await contentsOf(imagesDirectory)).toEqual(before);
});

test('the hook postDump learns where the images are, which are not in place yet', async () => {
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const seen: unknown[] = [];
  await client().dump(counter.pid, {
    imagesDirectory,
    hooks: {
      async postDump(directory) {
        seen.push(
          await verifyImages(directory),
          existsSync(join(imagesDirectory, 'inventory.img')),
        );
      },
    },
  });
  expect(seen).toEqual([[], false]);
  expect(await verifyImages(imagesDirectory)).toEqual([]);
});

test('a caller that dies at post-dump leaves the old checkpoint whole, and the process runs on', async () => {
  const caller = await LibraryProcess.start();
  const { criu, counter, imagesDirectory } = await withCheckpoint();
  const before = await contentsOf(imagesDirectory);
  const given = { pid: counter.pid, imagesDirectory, overwrite: true };
  const pid = await caller.ask<number>('dumpUntil', { ...given, at: 'postDump', waits: true });
  process.kill(caller.pid, 'SIGKILL');
  await caller.ended;
  await waitFor(async () => !(await isAlive(pid)), 'criu is dead');
  expect(await contentsOf(imagesDirectory)).toEqual(before);
  await counter.countsOn();
  // What the caller has left beside it does not disturb the next dump.
  await criu.dump(counter.pid, { imagesDirectory, overwrite: true, leaveRunning: true });
  await expectRestorable(counter, imagesDirectory);
});

test('two dumps into one directory: the later one fails, and its process runs on', async () => {
  const criu = client();
  const [first, second] = [await startCounter(), await startCounter()];
  const imagesDirectory = await temporaryDirectory();
  const error = await failureOf(
    criu.dump(second.pid, {
      imagesDirectory,
      hooks: { postDump: async () => void (await criu.dump(first.pid, { imagesDirectory })) },
    }),
  );
  expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', workload: 'running' });
  expect(error.message).toContain('another dump');
  await second.countsOn();
  await expectRestorable(first, imagesDirectory);
});

test('a wrong pid creates no directory', async () => {
  const counter = await startCounter();
  process.kill(counter.pid, 'SIGKILL');
  await counter.ended;
  const parent = await temporaryDirectory();
  const imagesDirectory = join(parent, 'deep/down');
  const criu = client();
  for (const dump of [
    () => criu.dump(counter.pid, { imagesDirectory, workDirectory: join(parent, 'work') }),
    () => criu.preDump(counter.pid, { imagesDirectory }),
    () => criu.lazyDump(counter.pid, { imagesDirectory }),
    () => criu.iterate(counter.pid, { imagesDirectory }),
  ]) {
    expect(await failureOf(dump)).toMatchObject({
      code: 'ERR_CRIU_NO_SUCH_PROCESS',
      workload: 'gone',
      pid: counter.pid,
    });
  }
  expect(await readdir(parent)).toEqual([]);
});

describe('images are written to the disk', () => {
  test('before the processes end', async () => {
    const { counter, dump, states } = await withFsync();
    await dump({});
    await counter.ended;
    expect(await states()).toMatch(BEFORE_THE_END);
  });

  test('and not at all with durable: false', async () => {
    const { counter, dump, states } = await withFsync();
    await dump({ durable: false });
    await counter.ended;
    expect(await states()).toBe('');
  });

  test('while the processes run, with leaveRunning', async () => {
    const { dump, states } = await withFsync();
    await dump({ leaveRunning: true });
    expect(await states()).toMatch(/^[RSD]{5,}$/);
  });

  test('also those that CRIU writes directly, and by a page server before it has ended', async () => {
    const { counter, dumpToServer, states } = await withFsync();
    await dumpToServer({ leaveRunning: true, server: { durable: false } });
    const whileRunning = await states();
    expect(whileRunning).toMatch(/^[RSD]{5,}$/);

    const ended = await dumpToServer({ leaveRunning: true, durable: false, server: {} });
    expect(ended).toEqual({ code: 0, signal: null });
    const byServer = (await states()).slice(whileRunning.length);
    // pagemap-PID.img, pages-1.img, the log and their directory.
    expect(byServer).toMatch(/^[tT]{4}$/);

    await dumpToServer({ server: { durable: false } });
    await counter.ended;
    const last = (await states()).slice(whileRunning.length + byServer.length);
    expect(last).toMatch(BEFORE_THE_END);
  });

  test('also those that CRIU writes directly, or the dump fails and the process runs on', async () => {
    const { counter, dumpToServer } = await withFsync({ FSYNC_FAILS: '1' });
    const error = await dumpToServer({ server: { durable: false } }).catch((cause: Error) => cause);
    expect(error).toMatchObject({
      message: expect.stringContaining('cannot be written to the disk: EIO'),
    });
    await counter.countsOn();
    const ended = await dumpToServer({ leaveRunning: true, durable: false, server: {} });
    expect(ended).toEqual({ code: 1, signal: null });
  });

  test.each([
    [false, 'the images cannot be moved into'],
    [true, 'is done, but the images cannot be moved into'],
  ])('or the dump fails and the process runs on (leaveRunning: %s)', async (leaveRunning, text) => {
    const { counter, dump, imagesDirectory } = await withFsync({ FSYNC_FAILS: '1' });
    const error = await dump({ leaveRunning }).catch((cause: Error) => cause);
    expect(error).toMatchObject({ message: expect.stringContaining(text) });
    await counter.countsOn();
    const names = (await readdir(imagesDirectory)).filter((name) => name.endsWith('.img'));
    expect(names).toEqual([]);
  });
});

/** A counter, and the directory `images` with a checkpoint of it. */
async function withCheckpoint() {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  await criu.dump(counter.pid, { imagesDirectory, leaveRunning: true });
  await counter.countsOn();
  return { criu, counter, imagesDirectory };
}

/** The files in a directory and below with their content, without logs. */
async function contentsOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.log'));
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')])),
  );
}

/** Restores a checkpoint in place of the process, which may still run. */
async function expectRestorable(counter: Counter, imagesDirectory: string): Promise<void> {
  expect(await verifyImages(imagesDirectory)).toEqual([]);
  if (await isAlive(counter.pid)) process.kill(counter.pid, 'SIGKILL');
  await waitGone(counter.pid);
  await client().restore({ imagesDirectory });
  await counter.countsOn();
}

/** A counter and a caller whose calls of fsync() are observed. */
async function withFsync(env: Record<string, string> = {}) {
  const library = await compileFixture('fsync-spy');
  const counter = await startCounter();
  const log = join(await temporaryDirectory(), 'states');
  const all = { FSYNC_PID: counter.pid, FSYNC_LOG: log, LD_PRELOAD: library, ...env };
  const assignments = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  const caller = await LibraryProcess.start(['env', ...assignments]);
  const imagesDirectory = await temporaryDirectory();
  return {
    counter,
    imagesDirectory,
    dump: (options: object) =>
      caller.ask('dump', { pid: counter.pid, imagesDirectory, ...options }),
    dumpToServer: async ({ server, ...options }: { server: object; [option: string]: unknown }) =>
      await caller.ask('dumpToServer', {
        ...{ pid: counter.pid, imagesDirectory: await temporaryDirectory(), ...options },
        server: { imagesDirectory: await temporaryDirectory(), ...server },
      }),
    states: async () => await readFile(log, 'utf8').catch(() => ''),
  };
}
