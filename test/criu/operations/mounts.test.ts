import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bindToItself, startRooted, withLine } from '../../helpers/rooted.ts';
import { client, isAlive, waitFor } from '../../helpers/workload.ts';

test('a mount from outside is replaced by another one, whose content is seen', async () => {
  const { pid, root, elsewhere, reads, imagesDirectory } = await startRooted();
  const criu = client();
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    workload: 'running',
    message: expect.stringMatching(/\/ext/),
  });
  await criu.dump(pid, { imagesDirectory, external: ['mnt[/ext]:outside'] });
  expect(await isAlive(pid)).toBe(false);

  const external = [`mnt[outside]:${elsewhere}`];
  await expect(criu.restore({ imagesDirectory, root })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/No mapping for.*\[option external\]/),
  });
  await criu.restore({ imagesDirectory, root, external });
  await reads('elsewhere');
});

test('extMnt names such mounts as a record', async () => {
  const { pid, root, elsewhere, reads, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, extMnt: { '/ext': 'outside' } });
  await criu.restore({ imagesDirectory, root, extMnt: { outside: elsewhere } });
  await reads('elsewhere');
});

test('autoExtMnt finds external mounts, and restores them from their original paths', async () => {
  const { pid, root, outside, reads, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, autoExtMnt: true });
  await writeFile(join(outside, 'text'), withLine('later'));
  await criu.restore({ imagesDirectory, root, autoExtMnt: true });
  await reads('later');
});

test('skipMnt leaves a mount out', async () => {
  const { pid, root, reads, imagesDirectory } = await startRooted();
  await writeFile(join(root, 'ext/text'), withLine('beneath'));
  const criu = client();
  await criu.dump(pid, { imagesDirectory, skipMnt: ['/ext'] });
  await criu.restore({ imagesDirectory, root });
  await reads('beneath');
});

test('a file system that CRIU does not know is mounted again if enableFs names it', async () => {
  const { pid, root, reads, imagesDirectory } = await startRooted('ramfs:', '-');
  const criu = client();
  await expect(criu.dump(pid, { imagesDirectory })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    workload: 'running',
    message: expect.stringContaining('/ext'),
  });
  await criu.dump(pid, { imagesDirectory, enableFs: ['ramfs'] });
  await writeFile(join(root, 'ext/text'), withLine('beneath'));
  const restored = await criu.restore({ imagesDirectory, root, enableFs: ['ramfs'] });
  const mounts = await readFile(`/proc/${restored.pid}/mountinfo`, 'utf8');
  expect(mounts).toMatch(/ \/ext .* - ramfs /);
  await reads('-');
});

test('root is where the restored mount namespace begins', async () => {
  const { pid, root, outside, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, external: ['mnt[/ext]:outside'] });
  const other = `${root}2`;
  await cp(root, other, { recursive: true });
  await bindToItself(other);
  const size = async (place: string) => (await stat(join(place, 'out'))).size;
  const before = await size(root);
  await criu.restore({ imagesDirectory, root: other, external: [`mnt[outside]:${outside}`] });
  await waitFor(async () => (await size(other)) > before, 'the program writes there');
  expect(await size(root)).toBe(before);
});

test('the error of a restore without the root that a mount namespace needs names the option', async () => {
  const { pid, root, outside, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, external: ['mnt[/ext]:outside'] });
  const external = [`mnt[outside]:${outside}`];
  await expect(criu.restore({ imagesDirectory, external })).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringContaining('[option root]'),
  });
  await criu.restore({ imagesDirectory, root, external });
});

test('mntnsCompatMode restores the same mounts in the old way', async () => {
  const { pid, root, elsewhere, reads, imagesDirectory } = await startRooted();
  const criu = client();
  await criu.dump(pid, { imagesDirectory, external: ['mnt[/ext]:outside'] });
  const external = [`mnt[outside]:${elsewhere}`];
  const options = { imagesDirectory, root, external, mntnsCompatMode: true, logLevel: 4 } as const;
  const { log } = await criu.restore(options);
  await reads('elsewhere');
  const text = await readFile(log?.path ?? '', 'utf8');
  expect(text).toContain('mnt: ');
  expect(text).not.toContain('mnt-v2: ');
});
