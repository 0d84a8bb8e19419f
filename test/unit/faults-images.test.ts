import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CriuError } from '../../src/errors.ts';
import { idsToRestore, readTree, treePids } from '../../src/images/pstree.ts';
import { readDumpStats, readRestoreStats } from '../../src/images/stats.ts';
import { localFiles } from '../../src/process/files.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { noteFault } from '../helpers/reliability.ts';
import { sample } from '../helpers/sample.ts';
import { encodeMessage } from '../helpers/wire.ts';

const MUTATIONS = sample('mutated statistics and pstree images', 3000, 300);
const TIMEOUT_MS = 30_000;
const directory = mkdtempSync(join(tmpdir(), 'node-criu-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const dump = {
  freezing_time: 1500,
  frozen_time: 2_000_001,
  memdump_time: 3,
  memwrite_time: 4000,
  pages_scanned: 5,
  pages_skipped_parent: 6,
  pages_written: 2 ** 40,
  pages_lazy: 8,
  page_pipes: 9,
  shpages_written: 13,
  irmap_resolve: 1400,
};
const restore = {
  forking_time: 2500,
  restore_time: 4_000_000_000,
  pages_compared: 1,
  pages_skipped_cow: 2,
  pages_restored: 3,
};

describe.each([
  ['readDumpStats', 'stats-dump', readDumpStats, { dump }],
  ['readRestoreStats', 'stats-restore', readRestoreStats, { restore }],
] as const)('%s', (operation, name, read, entry) => {
  test(
    'reads numbers from a spoilt file, or says that it is spoilt',
    async () => {
      const body = encodeMessage('stats_entry', entry);
      const whole = image([0x55105940, 0x57093306], body);
      const random = seeded(20_261_123);
      let [understood, refused] = [0, 0];
      for (let i = 0; i < MUTATIONS; i++) {
        const bytes = spoilt(whole, random);
        writeFileSync(join(directory, name), bytes);
        const outcome = await read(directory).catch((error: unknown) => error);
        const what = `mutation ${i}: ${bytes.toString('hex')}`;
        if (outcome instanceof Error) {
          refused++;
          expect(outcome, what).toBeInstanceOf(CriuError);
          expect(outcome, what).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE', operation });
        } else {
          understood++;
          for (const value of Object.values(outcome as object)) {
            expect(value === undefined || Number.isFinite(value), what).toBe(true);
          }
        }
      }
      expect(Math.min(understood, refused)).toBeGreaterThan(MUTATIONS / 10);
      await noteFault('restore', {
        fault: `${name} truncated, with changed bytes or noise, when ${operation} reads it`,
        error: 'ERR_CRIU_BAD_IMAGE, or numbers if it is still a message',
        workload: 'not touched',
        left: 'nothing',
      });
    },
    TIMEOUT_MS,
  );
});

test(
  'treePids reads pids from a spoilt pstree.img, and what is spoilt it leaves out',
  async () => {
    const entries = [4711, 4712, 99, 2 ** 22].map((pid) => treeEntry(pid));
    const whole = image(
      [0x54564319, 0x50273030],
      entries[0] ?? new Uint8Array(),
      ...entries.slice(1),
    );
    const path = join(directory, 'pstree.img');
    expect(treePids(directory)).toEqual([]);
    writeFileSync(path, whole);
    expect(treePids(directory)).toEqual([4711, 4712, 99, 2 ** 22]);
    const random = seeded(4711);
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = spoilt(whole, random);
      writeFileSync(path, bytes);
      const pids = treePids(directory);
      expect(
        pids.every((pid) => Number.isInteger(pid) && pid > 0 && pid < 2 ** 31),
        `mutation ${i}: ${bytes.toString('hex')} gives ${pids}`,
      ).toBe(true);
    }
  },
  TIMEOUT_MS,
);

test('idsToRestore lists processes and threads once, and none of a tree with a pid namespace', async () => {
  const write = (...entries: Uint8Array[]) =>
    writeFileSync(join(directory, 'pstree.img'), image([0x54564319, 0x50273030], ...entries));
  write(treeEntry(4711, 5000, 70_000), treeEntry(4712));
  expect(idsToRestore(await readTree(directory, localFiles))).toEqual([4711, 5000, 70_000, 4712]);
  write(treeEntry(1), treeEntry(2));
  expect(idsToRestore(await readTree(directory, localFiles))).toEqual([]);
  // The first thread of a zombie is what was in CRIU's memory.
  write(treeEntry(4711), Uint8Array.from([...treeEntry(4712).slice(0, -3), 5 << 3, ...varint(99)]));
  expect(idsToRestore(await readTree(directory, localFiles))).toEqual([4711, 4712]);
});

/** An image as CRIU writes it: two magic numbers, and entries behind their lengths. */
function image(magic: readonly number[], ...entries: Uint8Array[]): Buffer {
  const words = (...numbers: number[]) => Buffer.from(Uint32Array.from(numbers).buffer);
  return Buffer.concat([
    words(...magic),
    ...entries.flatMap((entry) => [words(entry.length), entry]),
  ]);
}

/** An entry of pstree.img: pid, ppid, pgid, sid and the first thread, all the same; and other threads. */
function treeEntry(pid: number, ...threads: number[]): Uint8Array {
  const fields = [1, 2, 3, 4, 5].map((field) => [field, pid] as const);
  const others = threads.map((thread) => [5, thread] as const);
  return Uint8Array.from(
    [...fields, ...others].flatMap(([field, value]) => [field << 3, ...varint(value)]),
  );
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  }
  return bytes;
}

/** A copy with a missing or changed part. */
function spoilt(whole: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(whole);
  switch (random(4)) {
    case 0:
      return bytes.subarray(0, random(bytes.length));
    case 1:
      return Buffer.concat([bytes, noise(1 + random(20), random)]);
    case 2:
      noise(4, random).copy(bytes, random(bytes.length));
      return bytes;
    default:
      for (let times = 1 + random(3); times > 0; times--) {
        const at = random(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      }
      return bytes;
  }
}

function noise(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}
