import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDumpStats, readRestoreStats } from '../../src/images/stats.ts';
import { native } from '../../src/native/index.ts';
import { failureOf } from '../helpers/failures.ts';
import { encodeMessage } from '../helpers/wire.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const { pageSize } = native();
/** The first of the two numbers stands for a service file, the second for statistics. */
const MAGIC = [0x55105940, 0x57093306] as const;

/** A statistics file as CRIU writes it. */
function fileOf(entry: object, [kind, name]: readonly [number, number] = MAGIC): Buffer {
  const body = encodeMessage('stats_entry', entry);
  const head = Buffer.alloc(12);
  for (const [index, word] of [kind, name, body.length].entries())
    head.writeUInt32LE(word, 4 * index);
  return Buffer.concat([head, body]);
}

const dump = {
  freezing_time: 1500,
  frozen_time: 2_000_001,
  memdump_time: 3,
  memwrite_time: 4000,
  pages_scanned: 5,
  pages_skipped_parent: 6,
  pages_written: 2 ** 40,
  pages_lazy: 8,
};
const restore = {
  forking_time: 2500,
  restore_time: 4_000_000_000,
  pages_compared: 1,
  pages_skipped_cow: 2,
};

describe.each([
  ['readDumpStats', 'stats-dump', readDumpStats, { dump }, { restore }],
  ['readRestoreStats', 'stats-restore', readRestoreStats, { restore }, { dump }],
] as const)('%s', (operation, name, read, entry, other) => {
  async function readFrom(bytes?: Uint8Array): Promise<unknown> {
    const directory = await temporaryDirectory();
    if (bytes) await writeFile(join(directory, name), bytes);
    return await read(directory);
  }
  const bad = { code: 'ERR_CRIU_BAD_IMAGE', operation };

  test('names the missing file', async () => {
    const error = await failureOf(readFrom());
    expect(error).toMatchObject(bad);
    expect(error.message).toMatch(new RegExp(`^${operation}: /.*/${name}: ENOENT`));
  });

  test('rejects a truncated file, wherever it ends', async () => {
    const whole = fileOf(entry);
    await expect(readFrom(whole)).resolves.toBeDefined();
    const directory = await temporaryDirectory();
    for (let length = 0; length < whole.length; length++) {
      await writeFile(join(directory, name), whole.subarray(0, length));
      const error = await failureOf(read(directory));
      expect(error).toMatchObject(bad);
      expect(error.message).toMatch(/: it (has only|ends after) \d+ /);
    }
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['another kind of image', fileOf(entry, [0x54564319, MAGIC[1]]), /not a CRIU statistics file/],
    ['another image', fileOf(entry, [MAGIC[0], 0x57093307]), /not a CRIU statistics file/],
    ['garbage', Buffer.from('not an image of CRIU at all'), /not a CRIU statistics file/],
    ['the other statistics', fileOf(other), /it has no (dump|restore) statistics/],
    ['an empty entry', fileOf({}), /it has no (dump|restore) statistics/],
    ['a garbled entry', fileOf(entry).fill(0xff, 12), /./],
  ])('refuses %s', async (_what, bytes, message) => {
    const error = await failureOf(readFrom(bytes));
    expect(error).toMatchObject(bad);
    expect(error.message).toMatch(message);
  });

  test('rejects a directory that is not a path', async () => {
    for (const directory of [undefined, 5, null]) {
      expect(await failureOf(read(directory as never))).toMatchObject({
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        operation,
        option: 'directory',
      });
    }
  });
});

describe("CRIU's measurements", () => {
  async function directoryWith(name: string, entry: object): Promise<string> {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, name), fileOf(entry));
    return directory;
  }

  test('of a dump: times in milliseconds, memory in pages and bytes', async () => {
    const more = {
      page_pipes: 9,
      page_pipe_bufs: 10,
      shpages_scanned: 11,
      shpages_skipped_parent: 12,
      shpages_written: 13,
      irmap_resolve: 1400,
    };
    expect(
      await readDumpStats(await directoryWith('stats-dump', { dump: { ...dump, ...more } })),
    ).toEqual({
      freezingTimeMs: 1.5,
      frozenTimeMs: 2000.001,
      memdumpTimeMs: 0.003,
      memwriteTimeMs: 4,
      pagesScanned: 5,
      pagesSkippedParent: 6,
      pagesWritten: 2 ** 40,
      pagesLazy: 8,
      pagePipes: 9,
      pagePipeBufs: 10,
      shpagesScanned: 11,
      shpagesSkippedParent: 12,
      shpagesWritten: 13,
      irmapResolveMs: 1.4,
      bytesWritten: (2 ** 40 + 13) * pageSize,
      pageSize,
    });
  });

  test('of a dump by a CRIU that measures less', async () => {
    expect(await readDumpStats(await directoryWith('stats-dump', { dump }))).toMatchObject({
      pagePipes: undefined,
      shpagesWritten: undefined,
      irmapResolveMs: undefined,
      bytesWritten: 2 ** 40 * pageSize,
    });
  });

  test('of a restore', async () => {
    const expected = {
      pagesCompared: 1,
      pagesSkippedCow: 2,
      pagesRestored: undefined,
      forkingTimeMs: 2.5,
      restoreTimeMs: 4_000_000,
      pageSize,
    };
    expect(await readRestoreStats(await directoryWith('stats-restore', { restore }))).toEqual(
      expected,
    );
    const whole = { restore: { ...restore, pages_restored: 3 } };
    expect(await readRestoreStats(await directoryWith('stats-restore', whole))).toEqual({
      ...expected,
      pagesRestored: 3,
    });
  });
});
