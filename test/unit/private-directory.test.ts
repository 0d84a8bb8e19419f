import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePrivateDirectory } from '../../src/process/private-directory.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

test('makes what is missing, for its owner alone, and leaves what is there', async () => {
  const root = await temporaryDirectory();
  const [above, path] = [join(root, 'a'), join(root, 'a/b/c')];
  await Promise.all([makePrivateDirectory(path), makePrivateDirectory(`${path}/`)]);
  await makePrivateDirectory(path);
  expect(await readdir(above)).toEqual(['b']);
  for (const one of [above, path]) expect((await stat(one)).mode & 0o777).toBe(0o700);
});

test.each(['file', 'file/below'])('says why there can be no directory: %s', async (name) => {
  const root = await temporaryDirectory();
  await writeFile(join(root, 'file'), '');
  const making = makePrivateDirectory(join(root, name));
  await expect(making).rejects.toThrow(/EEXIST|ENOTDIR/);
});

test('comes to an end where nothing can be made', async () => {
  await expect(makePrivateDirectory('/proc/nothing/below')).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
