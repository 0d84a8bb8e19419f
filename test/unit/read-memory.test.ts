import { symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decompressBlock } from '../../src/images/memory/lz4.ts';
import { type ReadMemoryOptions, readMemory } from '../../src/images.ts';
import {
  ALIGNED,
  filled,
  LAZY,
  PAGE,
  PARENT,
  PRESENT,
  type Run,
  writeLevel,
} from '../helpers/memory-images.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

/** The letters of the pages that are read, after their addresses; a page of zeros is 0. */
async function pagesOf(directory: string, options: Partial<ReadMemoryOptions> = {}) {
  const found: string[] = [];
  for await (const { address, bytes } of readMemory(directory, { pid: 7, ...options })) {
    for (let at = 0; at < bytes.length; at += PAGE) {
      const page = bytes.subarray(at, at + PAGE);
      expect(page.every((byte) => byte === page[0])).toBe(true);
      found.push(
        `${Number(address) / PAGE + at / PAGE}${page[0] ? String.fromCharCode(page[0]) : '0'}`,
      );
    }
  }
  return found.join(' ');
}

/** A block of LZ4 that gives pages of one letter: a literal, and a match that repeats it. */
function compressed(letter: string, size = PAGE): Buffer {
  // The last five bytes must be literals.
  const matched = size - 6 - 4;
  const lengths = [...Array(Math.floor((matched - 15) / 255)).fill(255), (matched - 15) % 255];
  return Buffer.concat([
    ...[Buffer.from([0x1f]), Buffer.from(letter), Buffer.from([1, 0, ...lengths])],
    ...[Buffer.from([0x50]), Buffer.from(letter.repeat(5))],
  ]);
}

test('pages are read in the order of addresses, from the images of the rounds that have them', async () => {
  const directory = await temporaryDirectory();
  const [oldest, middle, newest] = ['0', '1', '2'].map((name) => join(directory, name)) as [
    ...[string, string, string],
  ];
  await writeLevel(oldest, [[10, 6, PRESENT]], filled('abcdef'));
  await writeLevel(
    middle,
    [
      [10, 2, PARENT],
      [12, 1, PRESENT],
      [13, 3, PARENT],
    ],
    filled('C'),
  );
  await writeLevel(
    newest,
    [
      [8, 1, PRESENT],
      [10, 1, PRESENT | LAZY],
      [11, 4, PARENT],
      [20, 2, LAZY],
      [30, 1, PRESENT],
    ],
    filled('xAz'),
  );
  await symlink('../0', join(middle, 'parent'));
  await symlink('../1', join(newest, 'parent'));
  expect(await pagesOf(newest)).toBe('8x 10A 11b 12C 13d 14e 30z');
  const range = { start: BigInt(11 * PAGE + 5), end: BigInt(13 * PAGE + 1) };
  expect(await pagesOf(newest, range)).toBe('11b 12C 13d');

  await writeLevel(
    oldest,
    [
      [10, 3, PRESENT],
      [14, 2, PRESENT],
    ],
    filled('abcef'),
  );
  await expect(pagesOf(newest)).rejects.toMatchObject({
    ...{ code: 'ERR_CRIU_BAD_IMAGE', path: join(oldest, 'pagemap-7.img') },
    message: expect.stringContaining('lacks the page at 0xd000 that a later round needs'),
  });
});

test('compressed pages are read, in blocks of any size', async () => {
  const directory = await temporaryDirectory();
  const [one, two] = [compressed('b'), compressed('c', 2 * PAGE)];
  const runs: Run[] = [
    [1, 3, PRESENT, [1, 0, one.length, PAGE]],
    [5, 3, PRESENT | ALIGNED, [2, two.length, PAGE]],
    [9, 1, PRESENT],
  ];
  const first = Buffer.concat([one, filled('r')]);
  const padding = Buffer.alloc(2 * PAGE - first.length);
  await writeLevel(directory, runs, Buffer.concat([first, padding, two, filled('de')]));
  expect(await pagesOf(directory)).toBe('10 2b 3r 5c 6c 7d 9e');
  const range = { start: BigInt(6 * PAGE), end: BigInt(7 * PAGE) };
  expect(await pagesOf(directory, range)).toBe('6c');
});

describe('fails with ERR_CRIU_BAD_IMAGE if', () => {
  test.each<[string, Run[], RegExp]>([
    [
      'pages are out of order',
      [
        [5, 2, PRESENT],
        [6, 1, PRESENT],
      ],
      /out of order/,
    ],
    ['blocks are missing', [[5, 2, PRESENT, [1, 9]]], /2 blocks|in 1 blocks/],
    ['a block is too long', [[5, 1, PRESENT, [1, PAGE + 1]]], /takes 4097/],
    ['a block is too large', [[5, 1, PRESENT, [5000, 9]]], /a block has/],
    ['a block is damaged', [[5, 1, PRESENT, [1, 9]]], /pages-3\.img is damaged: .*, at byte 0/],
    ['there is no parent', [[5, 1, PARENT]], /parent cannot be read/],
    ['pages are truncated', [[5, 3, PRESENT]], /pages-3\.img is truncated, at byte 8192/],
  ])('%s', async (_, runs, why) => {
    const directory = await temporaryDirectory();
    await writeLevel(directory, runs, filled('pq'));
    await expect(pagesOf(directory)).rejects.toMatchObject({
      ...{ code: 'ERR_CRIU_BAD_IMAGE', operation: 'readMemory' },
      message: expect.stringMatching(why),
    });
  });

  test('the parents lead in a circle, or a file has become shorter', async () => {
    const directory = await temporaryDirectory();
    await writeLevel(
      directory,
      [
        [5, 1, PRESENT],
        [6, 1, PARENT],
      ],
      filled('p'),
    );
    await symlink('.', join(directory, 'parent'));
    await expect(pagesOf(directory)).rejects.toThrow(/leads in a circle/);
    await truncate(join(directory, 'pagemap-7.img'), 20);
    await expect(pagesOf(directory)).rejects.toThrow(/is truncated/);
  });
});

test('refuses options that make no sense', async () => {
  const directory = await temporaryDirectory();
  for (const options of [{}, { pid: 1, shared: 1 }, { pid: 1, pageSize: 5000 }]) {
    await expect(readMemory(directory, options).next()).rejects.toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
    });
  }
});

test('a block of LZ4 is decompressed to exactly its size, or refused', () => {
  const block = compressed('k', 300);
  expect(decompressBlock(block, 300).toString()).toBe('k'.repeat(300));
  for (const size of [299, 301]) expect(() => decompressBlock(block, size)).toThrow();
  for (let end = 0; end < block.length; end++) {
    expect(() => decompressBlock(block.subarray(0, end), 300)).toThrow();
  }
  // A match that reaches before the beginning, and one with the distance 0.
  for (const distance of [0, 2]) {
    expect(() => decompressBlock(Buffer.from([0x10, 65, distance, 0, 0]), 5)).toThrow(/refers/);
  }
});
