import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeImage, type SearchMemoryOptions, searchMemory } from '../../src/images.ts';
import { PAGE, PARENT, PRESENT, vma, writeLevel, writeMm } from '../helpers/memory-images.ts';

const MIB = 1024 * 1024;
const SHARED = 1 << 8;
const ANONYMOUS = 1 << 9;
/** More than is searched at once. */
const LARGE = 9 * MIB;

let base: string;
let directory: string;

afterAll(() => rm(base, { recursive: true, force: true }));

/** Words at the border of pages, of runs, of images, and of what is read and searched at once. */
const places = [
  ...[0, 100, PAGE - 4, 2 * PAGE - 1, MIB - 5, MIB + 50],
  ...[-30, -20, -10, 0, 10, 20, 30].map((at) => 4 * MIB + at),
  ...[8 * MIB - 3, LARGE - 8],
];
const start = 0x10000;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-criu-test-'));
  base = directory;
  const memory = Buffer.alloc(LARGE, 0x20);
  for (const [index, at] of places.entries()) {
    memory.write(`needle${String.fromCharCode(0x41 + index)}`, at, 'latin1');
  }
  memory.fill(0xff, 3 * MIB, 3 * MIB + 10_000);
  const parent = join(directory, 'parent-images');
  const newest = join(directory, 'images');
  const page = start / PAGE;
  const split = MIB / PAGE;
  await writeLevel(parent, [[page, split, PRESENT]], memory.subarray(0, MIB));
  await writeLevel(
    newest,
    [
      [page, split, PARENT],
      [page + split, LARGE / PAGE - split, PRESENT],
      [page + LARGE / PAGE + 1, 1, PRESENT],
    ],
    Buffer.concat([memory.subarray(MIB), Buffer.alloc(PAGE, 'needle ')]),
  );
  await symlink('../parent-images', join(newest, 'parent'));
  const sharedFlags = { flags: 1, shmid: 5n, pgoff: BigInt(PAGE) };
  await writeMm(newest, [
    vma(page, LARGE / PAGE, ANONYMOUS),
    vma(page + LARGE / PAGE + 1, 1, ANONYMOUS),
    vma(page + LARGE / PAGE + 9, 1, SHARED, sharedFlags),
    vma(page + LARGE / PAGE + 50, 2, 1 << 16),
  ]);
  const shared = Buffer.alloc(PAGE, '-');
  shared.write('größe', 10);
  shared.write('größe', 50, 'latin1');
  shared.write('größe', 80, 'utf16le');
  await writeLevel(newest, [[1, 1, PRESENT]], shared, { memory: 'shmem-5', pagesId: 9 });
  await encodeImage(join(newest, 'files.img'), 'FILES', []);
  directory = newest;
});

async function found(options: SearchMemoryOptions) {
  const matches = [];
  for await (const match of searchMemory(directory, options)) matches.push(match);
  return matches;
}

describe('finds every place, also across borders,', () => {
  const addresses = places.map((at) => BigInt(start + at));
  const end = BigInt(start + LARGE);

  test('of a text and of bytes', async () => {
    const matches = await found({ text: 'needle', end, context: 1 });
    expect(matches.map(({ address }) => address)).toEqual(addresses);
    expect(matches.map(({ after }) => after.toString()).join('')).toBe('ABCDEFGHIJKLMNO');
    expect(matches.map(({ before }) => before.toString()).join('')).toBe(
      ' '.repeat(places.length - 1),
    );
    expect(matches[0]).toMatchObject({
      ...{ pid: 7, bytes: Buffer.from('needle') },
      mapping: { kind: 'anonymous', protection: 'rw-p', path: undefined },
    });
    expect(await found({ bytes: Buffer.from('needle'), end, context: 1 })).toEqual(matches);
  });

  test('of an expression', async () => {
    const matches = await found({ pattern: /n(e+)dle[A-Z]/, end });
    expect(matches.map(({ address }) => address)).toEqual(addresses);
    const behind = await found({ pattern: /(?<=needle)[B-O]/, end });
    expect(behind.map(({ address }) => address)).toEqual(
      addresses.slice(1).map((address) => address + 6n),
    );
  });
});

test('matches are cut to the longest that is allowed, and do not overlap', async () => {
  const options = { pattern: /\xff+/, maxMatchLength: 4000 };
  const matches = await found(options);
  expect(matches.map(({ bytes }) => bytes.length)).toEqual([4000, 4000, 2000]);
  expect(await found({ pattern: /x*/, limit: 1 })).toEqual([]);
});

test('memory that is not adjacent is searched by itself, within the addresses that are given', async () => {
  const last = BigInt(start + LARGE + PAGE);
  const matches = await found({ text: 'needle ', start: last });
  expect(matches).toHaveLength(Math.floor(PAGE / 7));
  expect(matches[0]?.before).toHaveLength(0);
  const some = await found({ text: 'needle ', start: last + 1n, end: last + 20n });
  expect(some.map(({ address }) => address - last)).toEqual([7n]);
  expect(await found({ text: 'needle', limit: 3 })).toHaveLength(3);
});

test('shared memory is found at the addresses of the process, in each encoding', async () => {
  const at = BigInt(start + LARGE + 9 * PAGE);
  for (const [encoding, offset] of [
    ['utf8', 10n],
    ['latin1', 50n],
    ['utf16le', 80n],
  ] as const) {
    const [match, ...others] = await found({ text: 'größe', encoding });
    expect(others).toEqual([]);
    expect(match).toMatchObject({
      address: at + offset,
      mapping: { kind: 'shared', protection: 'rw-s', offset: BigInt(PAGE) },
    });
  }
});

test('refuses options that make no sense, and ends with its signal', async () => {
  for (const [options, option] of [
    [{}, 'text'],
    [{ text: 'a', bytes: Buffer.from('a') }, 'text'],
    [{ text: '' }, 'text'],
    [{ text: 'a', maxMatchLength: 5 }, 'maxMatchLength'],
    [{ pattern: /a/, context: -1 }, 'context'],
    [{ text: 'a', pid: 8 }, 'pid'],
    [{ text: 'a', limit: 0 }, 'limit'],
    [{ text: 'a', end: 5 }, 'end'],
  ] as [SearchMemoryOptions, string][]) {
    await expect(found(options)).rejects.toMatchObject({
      ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'searchMemory', option },
    });
  }
  const reason = new Error('enough');
  await expect(found({ text: 'needle', signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
