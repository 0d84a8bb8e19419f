import { readFileSync } from 'node:fs';
import { readdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MemoryDirectory } from '../../src/process/memory-directory.ts';
import { failureOf } from '../helpers/failures.ts';

/** The magic number of a ramfs, whose pages are never swapped out. */
const RAMFS = 0x858458f6;

test('a directory in memory is for its owner only, mounted nowhere, and gone when it is closed', async () => {
  const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
  const before = mounts();
  const memory = MemoryDirectory.make('test');
  expect(mounts()).toBe(before);
  const { path } = memory;
  expect((await statfs(path)).type).toBe(RAMFS);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  await writeFile(join(path, 'secret'), 'secret');
  expect(await readdir(path)).toEqual(['secret']);
  // Two have nothing in common.
  using other = MemoryDirectory.make('test');
  expect(await readdir(other.path)).toEqual([]);

  memory[Symbol.dispose]();
  memory[Symbol.dispose]();
  await expect(readdir(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a directory in memory needs privileges, and says so', async () => {
  const make = () => {
    process.seteuid?.(65_534);
    try {
      return MemoryDirectory.make('test');
    } finally {
      process.seteuid?.(0);
    }
  };
  expect(await failureOf(make)).toMatchObject({
    code: 'ERR_CRIU_NO_PERMISSION',
    message: expect.stringMatching(/^test: encryption needs CAP_SYS_ADMIN \(EPERM: .*fsopen\)$/),
  });
});

test('a directory in memory that nobody closes is closed with its owner', async () => {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { fd } = MemoryDirectory.make('test');
  const isOpen = () =>
    stat(`/proc/self/fd/${fd}`).then(
      () => true,
      () => false,
    );
  for (let tries = 0; tries < 50 && (await isOpen()); tries++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await isOpen()).toBe(false);
});
