import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeImage, encodeImage, mergeImages } from '../../src/images.ts';
import { filled, LAZY, PAGE, PARENT, PRESENT, writeLevel } from '../helpers/memory-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** Two rounds of process 7 and of shared memory 5. */
async function writeChain() {
  const base = await temporaryDirectory();
  const [parent, directory] = [join(base, 'parent'), join(base, 'images')];
  await writeLevel(parent, [[10, 3, PRESENT]], filled('abc'));
  await writeLevel(
    directory,
    [
      [10, 2, PARENT],
      [12, 1, PRESENT],
      [13, 1, PRESENT | LAZY],
      [20, 1, LAZY],
    ],
    filled('CD'),
  );
  const shared = { memory: 'shmem-5', pagesId: 9 };
  await writeLevel(parent, [[0, 1, PRESENT]], filled('s'), shared);
  await writeLevel(
    directory,
    [
      [0, 1, PARENT],
      [2, 40, PRESENT],
    ],
    filled(`${'\0'.repeat(39)}t`),
    shared,
  );
  await symlink('../parent', join(directory, 'parent'));
  const inventory = { img_version: 3, compress: 1, compress_block_size: 4096 };
  await encodeImage(join(directory, 'inventory.img'), 'INVENTORY', [{ message: inventory }]);
  for (const name of ['dump.log', 'tmpfs-1.tar.gz.img', 'stats-dump']) {
    await writeFile(join(directory, name), name, { mode: 0o644 });
  }
  return { base, directory };
}

async function messagesOf(path: string) {
  const messages: object[] = [];
  for await (const { message } of decodeImage(path)) messages.push(message);
  return messages;
}

test('the pages of all rounds become one pagemap each; other files are copied', async () => {
  const { base, directory } = await writeChain();
  const target = join(base, 'new', 'merged');
  expect(await mergeImages(directory, target)).toEqual({ bytesOfMemory: 45 * PAGE, rounds: 2 });
  expect((await readdir(target)).sort()).toEqual([
    ...['inventory.img', 'pagemap-7.img', 'pagemap-shmem-5.img', 'pages-3.img', 'pages-9.img'],
    ...['stats-dump', 'tmpfs-1.tar.gz.img'],
  ]);
  const run = (page: number, count: number, flags: number) => ({
    ...{ vaddr: BigInt(page * PAGE), compat_nr_pages: count, nr_pages: BigInt(count), flags },
  });
  expect(await messagesOf(join(target, 'pagemap-7.img'))).toEqual([
    ...[{ pages_id: 3 }, run(10, 3, PRESENT), run(13, 1, PRESENT | LAZY), run(20, 1, LAZY)],
  ]);
  expect(await readFile(join(target, 'pages-3.img'))).toEqual(filled('abCD'));
  const shared = await readFile(join(target, 'pages-9.img'));
  expect(shared).toEqual(filled(`s${'\0'.repeat(39)}t`));
  // The zeros are a hole.
  const { blocks } = await stat(join(target, 'pages-9.img'));
  expect(blocks * 512).toBeLessThan(shared.length);
  expect(await messagesOf(join(target, 'inventory.img'))).toEqual([{ img_version: 2 }]);
  expect((await stat(join(target, 'stats-dump'))).mode & 0o777).toBe(0o600);
});

test('a target that holds something is refused, unless a checkpoint is to be overwritten', async () => {
  const { base, directory } = await writeChain();
  const refused = async (target: string, why: string, options = {}) => {
    await expect(mergeImages(directory, target, options)).rejects.toMatchObject({
      ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'mergeImages', option: 'target' },
      message: expect.stringContaining(why),
    });
  };
  const target = join(base, 'target');
  await mkdir(target);
  await mergeImages(directory, target);
  await refused(target, 'already holds a checkpoint');
  await writeFile(join(target, 'old.img'), '');
  await mergeImages(directory, target, { overwrite: true });
  expect(await readdir(target)).not.toContain('old.img');
  for (const name of ['images', 'parent']) {
    await refused(join(base, name), 'is read from', { overwrite: true });
  }
  const other = join(base, 'other');
  await mkdir(other);
  await writeFile(join(other, 'notes'), '');
  await refused(other, 'has other files', { overwrite: true });
  expect((await readdir(base)).sort()).toEqual(['images', 'other', 'parent', 'target']);
});

test('damaged images and a signal leave nothing behind', async () => {
  const { base, directory } = await writeChain();
  const target = join(base, 'a', 'b');
  await writeFile(join(directory, 'pages-3.img'), filled('C'));
  await expect(mergeImages(directory, target)).rejects.toMatchObject({
    ...{ code: 'ERR_CRIU_BAD_IMAGE', path: join(directory, 'pages-3.img'), offset: PAGE },
    message: expect.stringMatching(/^mergeImages: .*pages-3\.img is truncated, at byte 4096$/),
  });
  await writeFile(join(directory, 'pages-3.img'), filled('CD'));
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(mergeImages(directory, target, { signal })).rejects.toBe(reason);
  expect((await readdir(base)).sort()).toEqual(['images', 'parent']);
});
