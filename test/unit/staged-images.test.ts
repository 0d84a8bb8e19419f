import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { StagedImages } from '../../src/operations/staged-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** True if the file system cannot exchange two directories. */
let isSimple = false;
beforeEach(() => {
  isSimple = false;
});

vi.mock('../../src/native/index.ts', async (load) => {
  const { native } = await load<typeof import('../../src/native/index.ts')>();
  const exchange = (one: string, other: string) => {
    if (isSimple) throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' });
    native().exchange(one, other);
  };
  return { native: () => ({ ...native(), exchange }) };
});

const quick = { overwrite: true, durable: false, keepFailed: false, survives: false };

describe.each([false, true])('a checkpoint (in a simple file system: %s)', (simple) => {
  beforeEach(() => {
    isSimple = simple;
  });

  test('is replaced when the dump is finished, and other files stay', async () => {
    const target = await directoryWith({ 'inventory.img': 'old', 'core-1.img': 'old', mine: 'm' });
    await chmod(target, 0o751);
    {
      await using staged = await stagedIn(target);
      await staged.onNotification({ script: 'post-dump' }, []);
      expect(staged.isPlaced).toBe(true);
      expect(await contents(target)).toEqual({ 'inventory.img': 'new', mine: 'm' });
      // CRIU still has the old directory open, and writes its statistics there.
      await writeFile(join(staged.directory, 'stats-dump'), 's');
      await staged.finish();
    }
    expect(await contents(target)).toEqual({
      'inventory.img': 'new',
      mine: 'm',
      'stats-dump': 's',
    });
    expect((await stat(target)).mode & 0o777).toBe(0o751);
    expect(await readdir(dirname(target))).toEqual(['images']);
  });

  test('is back if the dump fails after that', async () => {
    const old = { 'inventory.img': 'old', 'core-1.img': 'old', mine: 'm' };
    const target = await directoryWith(old);
    {
      await using staged = await stagedIn(target);
      await staged.onNotification({ script: 'post-dump' }, []);
    }
    expect(await contents(target)).toEqual(old);
    expect(await readdir(dirname(target))).toEqual(['images']);
  });
});

test('images in place are removed if the dump fails after that, and other files stay', async () => {
  const target = await directoryWith({ mine: 'm' });
  {
    await using staged = await stagedIn(target);
    await staged.onNotification({ script: 'post-dump' }, []);
    expect(await contents(target)).toMatchObject({ mine: 'm', 'inventory.img': 'new' });
  }
  expect(await contents(target)).toEqual({ mine: 'm' });
});

test('a hook that returns after the dump has failed puts nothing in place', async () => {
  const target = await directoryWith({});
  const staged = await stagedIn(target);
  await staged[Symbol.asyncDispose]();
  await expect(staged.onNotification({ script: 'post-dump' }, [])).rejects.toThrow();
  expect(await contents(target)).toEqual({});
});

test.each(['pre-dump', 'post-dump'])(
  '%s moves nothing if the processes survive',
  async (script) => {
    const target = await directoryWith({});
    await using staged = await StagedImages.open('dump', target, { ...quick, survives: true });
    await staged.onNotification({ script }, []);
    expect(staged.isPlaced).toBe(false);
  },
);

test.each([
  ['in the directory', {}],
  ['beside a checkpoint', { 'inventory.img': 'old' }],
])('images %s that a killed dump left are removed, others stay', async (_, files) => {
  const target = await directoryWith(files);
  const running = await stagedIn(target);
  const kept = await StagedImages.open('dump', target, { ...quick, keepFailed: true });
  await writeFile(join(kept.directory, 'inventory.img'), 'kept');
  await kept[Symbol.asyncDispose]();
  const above = dirname(running.directory);
  const abandoned = running.directory.replace(/.{6}$/, 'A1b2C3');
  await mkdir(abandoned);
  await writeFile(join(abandoned, 'pages-1.img'), 'memory');
  await mkdir(join(above, '.images.backup'));
  await writeFile(join(above, '.images.backup/mine'), 'm');
  await using next = await stagedIn(target);
  const left = [running, kept, next].map(({ directory }) => basename(directory));
  const names = await readdir(above);
  expect(names).toEqual(expect.arrayContaining([...left, '.images.backup']));
  expect(names).not.toContain(basename(abandoned));
  await running[Symbol.asyncDispose]();
});

/** A directory `images` with these files, alone in its parent. */
async function directoryWith(files: Record<string, string>): Promise<string> {
  const target = join(await temporaryDirectory(), 'images');
  await mkdir(target);
  for (const [name, text] of Object.entries(files)) await writeFile(join(target, name), text);
  return target;
}

async function stagedIn(target: string): Promise<StagedImages> {
  const staged = await StagedImages.open('dump', target, quick);
  await writeFile(join(staged.directory, 'inventory.img'), 'new');
  return staged;
}

/** The files of a directory, without the staging directory. */
async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.dump-'));
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]),
    ),
  );
}
