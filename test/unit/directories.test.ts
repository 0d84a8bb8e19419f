import { fstatSync } from 'node:fs';
import { mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirectory } from '../../src/operations/directories.ts';
import type { DirectoryLike } from '../../src/options/types.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const opened = (given: DirectoryLike | undefined, create = false) =>
  openDirectory('dump', 'imagesDirectory', given, create);
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

test('a directory that is not given is none', async () => {
  expect(await opened(undefined, true)).toBeUndefined();
});

test('a path is opened, and closed again', async () => {
  const path = await temporaryDirectory();
  const directory = await opened(path);
  expect(directory?.path).toBe(path);
  const fd = directory?.fd ?? -1;
  expect(fstatSync(fd).ino).toBe((await stat(path)).ino);
  await directory?.[Symbol.asyncDispose]();
  expect(isOpen(fd)).toBe(false);
});

test('a new directory and its new parents are accessible to the owner only', async () => {
  const root = await temporaryDirectory();
  await using directory = await opened(join(root, 'a/b'), true);
  expect(directory?.path).toBe(join(root, 'a/b'));
  expect(await modeOf(join(root, 'a'))).toBe(0o700);
  expect(await modeOf(join(root, 'a/b'))).toBe(0o700);
});

test('an existing directory is not changed', async () => {
  const path = join(await temporaryDirectory(), 'images');
  await mkdir(path, { mode: 0o750 });
  await writeFile(join(path, 'file'), '');
  await using _directory = await opened(path, true);
  expect(await modeOf(path)).toBe(0o750);
  expect(await readdir(path)).toEqual(['file']);
});

test('an open directory is the caller’s, and is called by the name that it has now', async () => {
  const path = await temporaryDirectory();
  await mkdir(join(path, 'old'));
  await using handle = await open(join(path, 'old'));
  await rename(join(path, 'old'), join(path, 'new'));
  for (const given of [handle, handle.fd]) {
    const directory = await opened(given);
    expect(directory).toMatchObject({ path: join(path, 'new'), fd: handle.fd });
    await directory?.[Symbol.asyncDispose]();
    expect(isOpen(handle.fd)).toBe(true);
  }
});

test('a path that is not a directory is refused with the cause', async () => {
  const root = await temporaryDirectory();
  const file = join(root, 'file');
  await writeFile(file, '');
  await using handle = await open(file);
  const bad: [DirectoryLike, boolean, RegExp][] = [
    [join(root, 'missing'), false, /a directory that exists \(ENOENT/],
    [file, false, /a directory that exists \(ENOTDIR/],
    [file, true, /a directory that can be made and opened \((EEXIST|ENOTDIR)/],
    [join(file, 'below'), true, /a directory that can be made and opened \(ENOTDIR/],
    [handle, false, /a directory that exists \(ENOTDIR/],
    [handle.fd, true, /ENOTDIR/],
    [0x7ffffff0, true, /ENOENT/],
  ];
  for (const [given, create, message] of bad) {
    const error = await failureOf(opened(given, create));
    expect(error).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      operation: 'dump',
      option: 'imagesDirectory',
    });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  }
  expect(await readdir(root)).toEqual(['file']);
});
