import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differenceText } from '../../src/cli/difference-text.ts';
import { type ComparedExtent, comparePages } from '../../src/images/difference/page-comparison.ts';
import { diffCheckpoints, type MmEntry } from '../../src/images.ts';
import { seeded } from '../helpers/random.ts';
import { testSeed } from '../helpers/sample.ts';
import { temporaryDirectory } from '../helpers/workload.ts';
import {
  core,
  ids,
  inventory,
  mm,
  PAGE,
  pagemap,
  pagesOf,
  vma,
  type WrittenImages,
  type WrittenRun,
  writeImages,
  writePages,
} from '../helpers/written-checkpoint.ts';

const fown = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const file = (id: number, name: string, pos: bigint) => {
  return { type: 'REG', id, reg: { id, flags: 0, pos, fown, name } };
};
const pipe = (id: number, pipe_id: number) => {
  return { type: 'PIPE', id, pipe: { id, pipe_id, flags: 0, fown } };
};
const process = (pid: number, ppid: number) => {
  return { pid, ppid, pgid: 7, sid: 7, threads: [pid] };
};

interface Parts {
  readonly pids: readonly number[];
  readonly name: string;
  readonly files: readonly { readonly id: number }[];
  readonly fds: readonly (readonly [fd: number, id: number])[];
  readonly vmas: MmEntry['vmas'];
  readonly runs: readonly WrittenRun[];
  readonly pages: Buffer;
}

/** Writes a checkpoint of process 7 and its children. */
async function write(directory: string, { pids, name, files, fds, vmas = [], runs, pages }: Parts) {
  const tree = pids.map((pid) => process(pid, pid === 7 ? 0 : 7));
  const images: WrittenImages = {
    'inventory.img': ['INVENTORY', inventory],
    'pstree.img': ['PSTREE', ...tree],
    ...Object.fromEntries(pids.map((pid) => [`core-${pid}.img`, ['CORE', core(name)]])),
    'ids-7.img': ['IDS', ids(2)],
    'fdinfo-2.img': ['FDINFO', ...fds.map(([fd, id]) => ({ id, fd, flags: 0, type: 'REG' }))],
    'files.img': ['FILES', ...files],
    'mm-7.img': ['MM', mm(vmas, { exe_file_id: 99 })],
    'pagemap-7.img': pagemap(1, runs),
  };
  await writeImages(directory, images);
  await writePages(directory, 1, pages);
}

test('processes, files, mappings and pages are added, removed and changed', async () => {
  const directory = await temporaryDirectory();
  const [before, after] = [join(directory, 'before'), join(directory, 'after')];
  await write(before, {
    ...{ pids: [7, 8], name: 'old', files: [file(1, '/a', 0n), file(2, '/b', 0n), pipe(3, 50)] },
    fds: [
      [0, 1],
      [1, 2],
      [2, 3],
    ],
    vmas: [vma(16, 4), vma(32, 2), vma(48, 1)],
    runs: [
      [16, 3, 4],
      [32, 2, 4],
      [48, 1, 4],
    ],
    pages: pagesOf('a', 'b', 'c', 'd', 'e', 'f'),
  });
  // A restore has given the pipe another number, and the files other ids.
  await write(after, {
    ...{ pids: [7, 9], name: 'new', files: [file(5, '/a', 4n), file(6, '/c', 0n), pipe(7, 60)] },
    fds: [
      [0, 5],
      [2, 7],
      [3, 6],
    ],
    vmas: [vma(16, 6), vma(32, 2, { prot: 1 }), vma(64, 1)],
    runs: [
      [16, 1, 4],
      [17, 1, 1],
      [19, 2, 4],
      [32, 2, 4],
      [64, 1, 4],
    ],
    pages: pagesOf('a', 'g', 'h', 'd', 'E', 'i'),
  });
  const round = join(directory, 'round');
  await writeImages(round, {
    'inventory.img': ['INVENTORY', inventory],
    'pagemap-7.img': pagemap(1, [[17, 1, 4]]),
  });
  await writePages(round, 1, pagesOf('B'));
  await symlink('../round', join(after, 'parent'));

  const difference = await diffCheckpoints(before, after);
  expect(difference).toMatchObject({
    ...{ before, after, sockets: { added: [], removed: [], changed: [] } },
    processes: {
      added: [{ pid: 9 }],
      removed: [{ pid: 8 }],
      changed: [{ before: { name: 'old' }, properties: ['name', 'threads'] }],
    },
    files: {
      added: [{ pid: 7, fd: 3, file: { path: '/c' } }],
      removed: [{ pid: 7, fd: 1, file: { path: '/b' } }],
      changed: [{ before: { fd: 0 }, after: { file: { position: 4 } }, properties: ['position'] }],
    },
    mappings: {
      added: [{ mapping: { start: '0x40000' } }],
      removed: [{ mapping: { start: '0x30000' } }],
      changed: [{ properties: ['size'] }, { properties: ['protection'] }],
    },
  });
  const counts = (
    pagesChanged: number,
    pagesAdded: number,
    pagesRemoved: number,
    pagesEqual: number,
  ) => {
    return { pagesChanged, pagesAdded, pagesRemoved, pagesEqual };
  };
  expect(difference.memory).toMatchObject({ pageSize: PAGE, ...counts(2, 3, 2, 2) });
  expect(
    difference.memory?.ranges.map(({ pid, mapping, shared: _, ...rest }) => {
      return [pid, mapping?.start, mapping?.size, rest];
    }),
  ).toEqual([
    [7, '0x10000', 6 * PAGE, counts(1, 2, 1, 1)],
    [7, '0x20000', 2 * PAGE, counts(1, 0, 0, 1)],
    [7, '0x30000', PAGE, counts(0, 0, 1, 0)],
    [7, '0x40000', PAGE, counts(0, 1, 0, 0)],
  ]);
  expect(differenceText(difference, { files: true, pages: true }, undefined).split('\n')).toEqual([
    ...['Files', '  - 7:1 /b', '  + 7:3 /c', '  ~ 7:0 /a: position 0 → 4', '', 'Pages'],
    '       changed  added  removed  equal',
    '  7          1      2        1      1  10000-16000 rw-p [anonymous]',
    '  7          1      -        -      1  20000-22000 r--p [anonymous]',
    '  7          -      -        1      -  30000-31000 rw-p [anonymous]',
    '  7          -      1        -      -  40000-41000 rw-p [anonymous]',
    '  all        2      3        2      2',
    '  7 pages of 4096 bytes differ: 28.0 KiB',
  ]);

  const same = await diffCheckpoints(before, before);
  expect(same.memory).toMatchObject({ ...counts(0, 0, 0, 6), ranges: [] });
  expect(differenceText(same, {}, 80)).toBe('no differences');
  expect((await diffCheckpoints(before, after, { memory: false })).memory).toBeUndefined();
  // A pre-dump has no mappings.
  const rounds = await diffCheckpoints(round, after);
  expect(rounds.memory?.ranges).toMatchObject([{ pid: 7, mapping: { start: '0x10000' } }, {}, {}]);
  expect((await diffCheckpoints(after, round)).memory?.ranges.at(0)?.mapping).toMatchObject({
    start: '0x10000',
  });
});

test('bad input is refused, and a signal aborts the comparison', async () => {
  const failure = async (...args: unknown[]) =>
    await diffCheckpoints(...(args as Parameters<typeof diffCheckpoints>)).catch((error) => error);
  expect(await failure(1, 'x')).toMatchObject({ option: 'before' });
  expect(await failure('x', 1)).toMatchObject({ option: 'after' });
  expect(await failure('x', 'x', { memory: 1 })).toMatchObject({ option: 'memory' });
  expect(await failure('x', 'x', { signal: 1 })).toMatchObject({ option: 'signal' });
  expect(await failure('/nowhere', '/nowhere')).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
  const signal = AbortSignal.abort(new Error('enough'));
  expect(await failure('x', 'x', { signal })).toMatchObject({
    ...{ code: 'ERR_CRIU_ABORTED', cause: { message: 'enough' } },
  });
});

test('pages are compared in any extents as in one', async () => {
  const random = seeded(testSeed(77));
  const size = 8;
  for (let run = 0; run < 200; run++) {
    const memories = [0, 1].map(() => {
      return Array.from({ length: 20 }, () => (random(3) === 0 ? undefined : random(2)));
    }) as [(number | undefined)[], (number | undefined)[]];
    const outcomes: string[] = [];
    const extents = memories.map((pages) => extentsOf(pages, size, random)) as [
      ...[AsyncIterable<ComparedExtent>, AsyncIterable<ComparedExtent>],
    ];
    await comparePages(...extents, size, (outcome, start, pages) => {
      for (let page = 0; page < pages; page++) outcomes[Number(start) / size + page] = outcome;
    });
    const expected = memories[0].map((one, page) => {
      const other = memories[1][page];
      if (one === undefined) return other === undefined ? undefined : 'pagesAdded';
      if (other === undefined) return 'pagesRemoved';
      return one === other ? 'pagesEqual' : 'pagesChanged';
    });
    expect(Array.from({ length: 20 }, (_, page) => outcomes[page])).toEqual(expected);
  }
});

/** Extents with pages of one byte, of any length; those of one file may be in its first pages. */
async function* extentsOf(
  pages: readonly (number | undefined)[],
  size: number,
  random: (below: number) => number,
): AsyncIterable<ComparedExtent> {
  for (let at = 0; at < pages.length; at++) {
    const first = at;
    const isPresent = pages[first] !== undefined;
    while (at + 1 < pages.length && (pages[at + 1] !== undefined) === isPresent && random(3) > 0)
      at++;
    const [start, end] = [BigInt(first * size), BigInt((at + 1) * size)];
    const fill = async (target: Buffer, from: bigint) => {
      for (let byte = 0; byte < target.length; byte++) {
        target[byte] = pages[Math.floor((Number(from) + byte) / size)] as number;
      }
    };
    yield {
      start,
      end,
      isPresent,
      fill,
      level: { path: String(random(9)) },
      fileOffset: undefined,
    };
  }
}

test('pages in the same place of the same file are not read', async () => {
  const extent = (start: number, pages: number, fileOffset: number): ComparedExtent => ({
    ...{ start: BigInt(start * PAGE), end: BigInt((start + pages) * PAGE), isPresent: true },
    fill: async () => expect.fail('it was read'),
    level: { path: 'pages-1.img' },
    fileOffset: fileOffset * PAGE,
  });
  const outcomes: unknown[] = [];
  const all = async function* (...extents: ComparedExtent[]) {
    yield* extents;
  };
  await comparePages(
    all(extent(1, 4, 10)),
    all(extent(2, 1, 11), extent(3, 3, 12)),
    PAGE,
    (...one) => {
      outcomes.push(one);
    },
  );
  expect(outcomes).toEqual([
    ['pagesRemoved', BigInt(PAGE), 1],
    ['pagesEqual', BigInt(2 * PAGE), 1],
    ['pagesEqual', BigInt(3 * PAGE), 2],
    ['pagesAdded', BigInt(5 * PAGE), 1],
  ]);
});
