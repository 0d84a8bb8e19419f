import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ImagePart__Output } from '../../src/generated/types/node_criu/ImagePart.ts';
import type { DestinationClient } from '../../src/migration/protocol/destination-client.ts';
import { receiveImages, sendImages } from '../../src/migration/protocol/image-transfer.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const MAX_BYTES = 1000;
const FILES = 10;
const allowed = () => ({ bytes: MAX_BYTES, files: FILES });
const name = (text: string) => ({ part: 'name', name: text }) as ImagePart__Output;
const data = (text: string) => ({ part: 'data', data: Buffer.from(text) }) as ImagePart__Output;
const sum = (text: string) =>
  ({ part: 'sha256', sha256: createHash('sha256').update(text).digest() }) as ImagePart__Output;
const file = (title: string, text: string) => [name(title), data(text), sum(text)];
/** Several small files in one part. */
const whole = (files: Record<string, string>, sums = files) => {
  const images = Object.entries(files).map(([title, text]) => ({
    ...{ name: title, data: Buffer.from(text) },
    sha256: createHash('sha256')
      .update(sums[title] as string)
      .digest(),
  }));
  return { part: 'whole', whole: { images } } as ImagePart__Output;
};

async function receive(
  parts: readonly ImagePart__Output[],
  directory?: string,
  allowance = allowed(),
): Promise<string> {
  const into = directory ?? join(await temporaryDirectory(), 'images', '0');
  await receiveImages(
    (async function* () {
      yield* parts;
    })(),
    into,
    allowance,
  );
  return into;
}

test('images arrive unchanged, readable by their user only', async () => {
  const parts = [name('core-12.img'), data('a'), data('b'), sum('ab'), ...file('fs.img', '')];
  const directory = await receive(parts);
  expect((await readdir(directory)).sort()).toEqual(['core-12.img', 'fs.img']);
  expect(await readFile(join(directory, 'core-12.img'), 'utf8')).toBe('ab');
  expect((await stat(join(directory, 'core-12.img'))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test('small images arrive several in one part, between others', async () => {
  const parts = [
    whole({ 'a.img': 'a', 'b.img': '' }),
    ...file('c.img', 'c'),
    whole({ 'd.img': 'd' }),
  ];
  const directory = await receive(parts);
  const texts = ['a', 'b', 'c', 'd'].map((one) => readFile(join(directory, `${one}.img`), 'utf8'));
  expect(await Promise.all(texts)).toEqual(['a', '', 'c', 'd']);
  expect((await stat(join(directory, 'a.img'))).mode & 0o777).toBe(0o600);
});

test('of several images in one part, none is written if one is wrong', async () => {
  const directory = join(await temporaryDirectory(), '0');
  const wrong: [ImagePart__Output, string][] = [
    [whole({ 'a.img': 'a', 'b.img': 'b' }, { 'a.img': 'a', 'b.img': 'x' }), 'b.img is damaged'],
    [whole({ 'a.img': 'a', '../b.img': 'b' }), 'is not one that CRIU gives to images'],
    [whole({ 'a.img': 'x'.repeat(MAX_BYTES + 1) }), 'larger than the offer allows'],
    [whole(Object.fromEntries([...Array(FILES + 1).keys()].map((n) => [`${n}.img`, '']))), 'files'],
  ];
  for (const [part, why] of wrong) {
    await expect(receive([part], directory)).rejects.toThrow(why);
    expect(await readdir(directory)).toEqual([]);
  }
  await receive([whole({ 'a.img': 'a' })], directory);
  await expect(receive([whole({ 'a.img': 'b' })], directory)).rejects.toThrow('EEXIST');
  expect(await readFile(join(directory, 'a.img'), 'utf8')).toBe('a');
});

test.each([
  'tmpfs-12.tar.gz.img',
  'tmpfs-dev-40.tar.gz.img',
  'ghost-file-1f.img',
  'tcp-stream-a0b.img',
  'pages-shmem--1.img',
])('%s is accepted as a name', async (title) => {
  expect(await readdir(await receive(file(title, 'a')))).toEqual([title]);
});

test('an image that the destination would refuse is reported, not skipped', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'core-1.img'), '');
  await writeFile(join(directory, 'tmpfs.zip.img'), '');
  const { signal } = new AbortController();
  const round = { id: '', index: 0 };
  const sending = sendImages({} as DestinationClient, round, directory, signal);
  await expect(sending).rejects.toThrow('would refuse the image name tmpfs.zip.img');
});

describe('names that no image has are refused', () => {
  const names = [
    ...['', '.img', '..', '../fs.img', '/etc/fs.img', 'a/b.img', 'a\\b.img', 'a.b.img', '.a.img'],
    ...['a.gz.img', 'a.tar.img', '.tar.gz.img', 'a.tar.gz.tar.gz.img', 'a.tar.gz'],
    ...[
      'fs',
      'fs.img.',
      'fs.img\n',
      'fs.img\0',
      'fs.imgx',
      'f s.img',
      'é.img',
      `${'a'.repeat(65)}.img`,
    ],
  ];

  test.each(names)('%j', async (title) => {
    const directory = await temporaryDirectory();
    await expect(receive(file(title, 'a'), directory)).rejects.toThrow(
      'is not one that CRIU gives to images',
    );
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('parts that are out of order are refused', () => {
  const orders: readonly (readonly [string, readonly ImagePart__Output[], string])[] = [
    ['bytes of no file', [data('a')], 'out of order'],
    ['a checksum of no file', [sum('a')], 'out of order'],
    ['a file within a file', [name('a.img'), name('b.img')], 'a.img is incomplete'],
    ['files within a file', [name('a.img'), whole({ 'b.img': '' })], 'a.img is incomplete'],
    ['a file without a checksum', [name('a.img'), data('a')], 'a.img is incomplete'],
    ['bytes behind the checksum', [...file('a.img', 'a'), data('a')], 'out of order'],
    ['a part of no kind', [{} as ImagePart__Output], 'out of order'],
    ['the round, once more', [{ part: 'round' } as ImagePart__Output], 'out of order'],
  ];

  test.each(orders)('%s', async (_, parts, why) => {
    await expect(receive(parts)).rejects.toThrow(why);
  });
});

test('a damaged file is refused', async () => {
  const parts = [name('a.img'), data('one'), sum('two')];
  await expect(receive(parts)).rejects.toThrow('a.img is damaged');
});

test('the allowance of bytes holds for all files and calls together', async () => {
  const half = 'x'.repeat(MAX_BYTES / 2);
  const tooMuch = 'larger than the offer allows';
  await receive([...file('a.img', half), ...file('b.img', half)]);
  const more = [...file('a.img', half), ...file('b.img', half), name('c.img'), data('x')];
  await expect(receive(more)).rejects.toThrow(tooMuch);
  const allowance = allowed();
  const directory = await receive([...file('a.img', half)], undefined, allowance);
  await receive([...file('b.img', half)], directory, allowance);
  const late = receive([name('c.img'), data('x')], directory, allowance);
  await expect(late).rejects.toThrow(tooMuch);
});

test('the allowance of files holds for all calls together', async () => {
  const parts = Array.from({ length: FILES }, (_, index) => file(`a-${index}.img`, '')).flat();
  const allowance = allowed();
  const directory = await receive(parts, undefined, allowance);
  const late = receive(file('b.img', ''), directory, allowance);
  await expect(late).rejects.toThrow('too many files');
  expect(await readdir(directory)).toHaveLength(FILES);
});

test('an existing file is not replaced', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'fs.img'), 'mine');
  await expect(receive(file('fs.img', 'theirs'), directory)).rejects.toThrow('EEXIST');
  expect(await readFile(join(directory, 'fs.img'), 'utf8')).toBe('mine');
  await expect(receive([...file('a.img', 'a'), ...file('a.img', 'b')])).rejects.toThrow('EEXIST');
});
