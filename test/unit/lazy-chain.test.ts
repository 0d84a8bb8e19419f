import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mm_entry } from '../../src/generated/images/memory.ts';
import { pstree_entry } from '../../src/generated/images/pstree.ts';
import { core_entry } from '../../src/generated/images/tasks.ts';
import { imageOf } from '../../src/images/image-file.ts';
import type { ImageKind } from '../../src/images/image-kinds.ts';
import { findLazyChain } from '../../src/images/lazy-chain.ts';
import { countLazyPages } from '../../src/images/lazy-memory.ts';
import { IN_PARENT, LAZY, PRESENT, pagemapOf, readPagemap } from '../../src/images/pagemap.ts';
import { encode } from '../../src/protobuf/encode.ts';
import type { MessageType } from '../../src/protobuf/message-type.ts';
import { completed } from '../helpers/image-tables.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const PAGE = 4096;
const PID = 7;
const THREAD = 8;
const PRIVATE = 0x22;
const LOCKED = 0x2000;
const VDSO = 1 << 3;

type Entry = readonly [page: number, count: number, flags: number];

/** Writes the images of a process in as many directories as there are pagemaps, the oldest first. */
async function writeChain(...rounds: readonly (readonly Entry[])[]): Promise<string> {
  const root = await temporaryDirectory();
  const directoryOf = (round: number) => join(root, String(round));
  for (const [round, entries] of rounds.entries()) {
    const numbers = entries.flatMap(([page, ...more]) => [page * PAGE, ...more]);
    await mkdir(directoryOf(round));
    const pagemap = pagemapOf(round + 1, [Float64Array.from(numbers)]);
    await writeFile(join(directoryOf(round), `pagemap-${PID}.img`), pagemap);
    if (round > 0) await symlink(`../${round - 1}`, join(directoryOf(round), 'parent'));
  }
  const last = directoryOf(rounds.length - 1);
  const write = async (name: string, kind: ImageKind, type: MessageType, message: object) => {
    const bytes = encode(type, completed(type, message));
    await writeFile(join(last, `${name}.img`), imageOf(kind, [bytes]));
  };
  const tree = { pid: PID, pgid: PID, sid: PID, threads: [PID, THREAD] };
  await write('pstree', 'PSTREE', pstree_entry, tree);
  for (const [id, page] of [
    [PID, 12],
    [THREAD, 14],
  ] as const) {
    const core = { thread_info: { gpregs: { sp: page * PAGE + 8 } } };
    await write(`core-${id}`, 'CORE', core_entry, core);
  }
  const vma = (start: number, end: number, flags: number, status = 1) => ({
    ...{ start: start * PAGE, end: end * PAGE, shmid: 0, flags, status },
  });
  const vmas = [
    ...[vma(10, 20, PRIVATE), vma(20, 30, PRIVATE | LOCKED), vma(30, 40, PRIVATE)],
    vma(40, 44, PRIVATE, VDSO),
  ];
  await write(`mm-${PID}`, 'MM', mm_entry, { exe_file_id: 1, vmas });
  return last;
}

test('memory of parents is lazy where CRIU would have left it in the processes', async () => {
  const last = await writeChain(
    [[10, 34, PRESENT | LAZY]],
    [
      [10, 2, PRESENT | LAZY],
      [12, 32, IN_PARENT],
    ],
    [
      [10, 15, IN_PARENT],
      [25, 1, PRESENT],
      [26, 6, IN_PARENT],
      [32, 3, PRESENT | LAZY],
      [35, 9, IN_PARENT],
      // A lazy dump leaves such pages at the source.
      [44, 2, LAZY],
    ],
  );
  const chain = await findLazyChain(last);
  const stored = (round: number, page: number, count: number, place: number) => ({
    ...{ start: page * PAGE, count, offset: place * PAGE },
    path: join(last, '..', String(round), `pages-${round + 1}.img`),
  });
  expect(chain.memory.get(PID)).toEqual([
    stored(1, 10, 2, 0),
    ...[stored(0, 13, 1, 3), stored(0, 15, 5, 5), stored(0, 30, 2, 20)],
    stored(2, 32, 3, 1),
    stored(0, 35, 5, 25),
    { start: 44 * PAGE, count: 2 },
  ]);
  expect(countLazyPages(chain.memory)).toBe(20);

  await chain.mark();
  const { pagesId, ranges } = await readPagemap(join(last, `pagemap-${PID}.img`));
  expect(pagesId).toBe(3);
  const kinds = ranges.map(({ start, count, present, inParent, lazy }) => [
    ...[start / PAGE, count],
    `${present ? 'present ' : ''}${inParent ? 'parent ' : ''}${lazy ? 'lazy' : ''}`.trim(),
  ]);
  expect(kinds).toEqual([
    [10, 2, 'lazy'],
    [12, 1, 'parent'],
    [13, 1, 'lazy'],
    [14, 1, 'parent'],
    [15, 5, 'lazy'],
    [20, 5, 'parent'],
    [25, 1, 'present'],
    [26, 4, 'parent'],
    [30, 2, 'lazy'],
    [32, 3, 'present lazy'],
    [35, 5, 'lazy'],
    [40, 4, 'parent'],
    [44, 2, 'lazy'],
  ]);
});

test('a page that no parent has is an error', async () => {
  const last = await writeChain([[10, 3, PRESENT]], [[10, 4, IN_PARENT]]);
  await expect(findLazyChain(last)).rejects.toThrow('lacks the page at 0xd000');
});
