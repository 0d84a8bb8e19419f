import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, localFiles, remoteFiles } from '../../src/process/files.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

test('calls are synchronous in a local file system, also in a directory that does not exist yet', async () => {
  const directory = await temporaryDirectory();
  expect(await filesIn(directory)).toBe(localFiles);
  expect(await filesIn(join(directory, 'a/b'))).toBe(localFiles);
});

test('calls do not block in a file system that may wait for another host, or that is not known', async () => {
  expect(await filesIn('/sys')).toBe(remoteFiles);
  expect(await filesIn(join(import.meta.filename, 'below'))).toBe(remoteFiles);
});

test.each([
  ['local', localFiles],
  ['remote', remoteFiles],
])('%s calls do the same', async (_, files) => {
  const path = await files.mkdtemp(join(await temporaryDirectory(), 'x-'));
  await files.mkdir(join(path, 'below'), { mode: 0o700 });
  await expect(files.mkdir(join(path, 'below'), { mode: 0o700 })).rejects.toMatchObject({
    code: 'EEXIST',
  });
  await files.close(await files.open(join(path, 'file'), 'w'));
  await files.chmod(join(path, 'file'), 0o640);
  expect((await files.stat(join(path, 'file'))).mode & 0o777).toBe(0o640);
  expect((await files.statExactly(join(path, 'file'))).size).toBe(0n);
  expect(await files.readEnd(import.meta.filename, 4)).toBe('});\n');
  expect((await files.readFile(import.meta.filename)).toString()).toContain('do the same');
  expect((await files.readdir(path)).sort()).toEqual(['below', 'file']);
  expect(await files.realpath(join(path, 'below/..'))).toBe(await files.realpath(path));
  await files.rename(join(path, 'below'), join(path, 'other'));
  await files.rmdir(join(path, 'other'));
  await expect(files.readdir(join(path, 'below'))).rejects.toMatchObject({ code: 'ENOENT' });
});
