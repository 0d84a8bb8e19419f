import { open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makePrivateDirectory } from '../../src/process/private-directory.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

test('makes all missing directories for their owner only, and keeps those that exist', async () => {
  const root = await temporaryDirectory();
  const [above, path] = [join(root, 'a'), join(root, 'a/b/c')];
  await Promise.all([makePrivateDirectory(path), makePrivateDirectory(`${path}/`)]);
  await makePrivateDirectory(path);
  expect(await readdir(above)).toEqual(['b']);
  for (const one of [above, path]) expect((await stat(one)).mode & 0o777).toBe(0o700);
});

test('makes the entries of new directories durable if asked to', async () => {
  const root = await temporaryDirectory();
  await using handle = await open(root);
  const sync = vi.spyOn(Object.getPrototypeOf(handle), 'sync');
  onTestFinished(() => sync.mockRestore());
  await makePrivateDirectory(join(root, 'a/b'), true);
  expect(sync).toHaveBeenCalledTimes(2);
  await makePrivateDirectory(join(root, 'a/b'), true);
  expect(sync).toHaveBeenCalledTimes(2);
  await makePrivateDirectory(join(root, 'c'));
  expect(sync).toHaveBeenCalledTimes(2);
});

test.each(['file', 'file/below'])(
  'rejects with the reason why a directory cannot be made: %s',
  async (name) => {
    const root = await temporaryDirectory();
    await writeFile(join(root, 'file'), '');
    const making = makePrivateDirectory(join(root, name));
    await expect(making).rejects.toThrow(/EEXIST|ENOTDIR/);
  },
);

test('ends in a file system in which no directory can be made', async () => {
  await expect(makePrivateDirectory('/proc/nothing/below')).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
