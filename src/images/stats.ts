import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { stats_entry } from '../generated/messages.js';
import { native } from '../native/index.ts';

/** What CRIU measured of a dump or pre-dump. Source: `dump_stats_entry` of `stats-dump`. */
export interface DumpStats {
  /** Time to stop all processes, in milliseconds. */
  readonly freezingTimeMs: number;
  /** Time that the processes were stopped, in milliseconds: the downtime, as far as CRIU knows. */
  readonly frozenTimeMs: number;
  /** Time to collect memory pages, in milliseconds. */
  readonly memdumpTimeMs: number;
  /** Time to write memory pages, in milliseconds. */
  readonly memwriteTimeMs: number;
  /** Pages looked at. */
  readonly pagesScanned: number;
  /** Pages left out because a parent image has them. */
  readonly pagesSkippedParent: number;
  /** Pages written. */
  readonly pagesWritten: number;
  /** Pages left in the processes, to be fetched later. */
  readonly pagesLazy: number;
  /** Pipes that carried pages. */
  readonly pagePipes: number | undefined;
  /** Buffers of these pipes. */
  readonly pagePipeBufs: number | undefined;
  /** Shared pages looked at. */
  readonly shpagesScanned: number | undefined;
  /** Shared pages left out because a parent image has them. */
  readonly shpagesSkippedParent: number | undefined;
  /** Shared pages written. */
  readonly shpagesWritten: number | undefined;
  /** Time to resolve watched files, in milliseconds. */
  readonly irmapResolveMs: number | undefined;
  /** Memory written, in bytes: the pages written, private and shared. */
  readonly bytesWritten: number;
  /** Size of a page, in bytes. */
  readonly pageSize: number;
}

/** What CRIU measured of a restore. Source: `restore_stats_entry` of `stats-restore`. */
export interface RestoreStats {
  /** Pages compared with the parent process's, for copy-on-write. */
  readonly pagesCompared: number;
  /** Pages that stay shared with the parent process. */
  readonly pagesSkippedCow: number;
  /** Pages restored. */
  readonly pagesRestored: number | undefined;
  /** Time to fork all processes, in milliseconds. */
  readonly forkingTimeMs: number;
  /** Time of the whole restore, in milliseconds. */
  readonly restoreTimeMs: number;
  /** Size of a page, in bytes. */
  readonly pageSize: number;
}

/** The first eight bytes of both files: what kind of image, and which. */
const MAGIC = [0x55105940, 0x57093306] as const;
const HEADER_SIZE = 12;

/**
 * Reads CRIU's statistics of a dump or pre-dump. In the rounds of one {@link Iteration} CRIU counts
 * on from round to round; {@link Round.stats} has what the round itself took.
 * @param directory the work directory of the dump, which is the images directory if none was given
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function readDumpStats(directory: string): Promise<DumpStats> {
  const { dump } = await readStats('readDumpStats', directory, 'stats-dump');
  if (!dump)
    throw badImage('readDumpStats', join(directory, 'stats-dump'), 'it has no entry of a dump');
  const { pageSize } = native();
  return {
    freezingTimeMs: dump.freezing_time / 1000,
    frozenTimeMs: dump.frozen_time / 1000,
    memdumpTimeMs: dump.memdump_time / 1000,
    memwriteTimeMs: dump.memwrite_time / 1000,
    pagesScanned: dump.pages_scanned,
    pagesSkippedParent: dump.pages_skipped_parent,
    pagesWritten: dump.pages_written,
    pagesLazy: dump.pages_lazy,
    pagePipes: dump.page_pipes,
    pagePipeBufs: dump.page_pipe_bufs,
    shpagesScanned: dump.shpages_scanned,
    shpagesSkippedParent: dump.shpages_skipped_parent,
    shpagesWritten: dump.shpages_written,
    irmapResolveMs: dump.irmap_resolve === undefined ? undefined : dump.irmap_resolve / 1000,
    bytesWritten: (dump.pages_written + (dump.shpages_written ?? 0)) * pageSize,
    pageSize,
  };
}

/**
 * What a round took by itself, by the statistics of it and of the round before. The counters are in
 * memory that all rounds of one criu share, and no CRIU up to 4.2 sets them back; a lower number
 * tells of one that does.
 */
export function statsSince(before: DumpStats | undefined, now: DumpStats): DumpStats {
  const { pageSize, ...counters } = now;
  const names = Object.keys(counters) as (keyof typeof counters)[];
  if (!before || names.some((name) => (now[name] ?? 0) < (before[name] ?? 0))) return now;
  const less = names.map((name) => [
    name,
    // CRIU has microseconds; a difference of milliseconds is not to show more.
    now[name] === undefined
      ? undefined
      : Math.round((now[name] - (before[name] ?? 0)) * 1000) / 1000,
  ]);
  return { ...Object.fromEntries(less), pageSize };
}

/**
 * Reads CRIU's statistics of a restore.
 * @param directory the work directory of the restore, which is the images directory if none was given
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function readRestoreStats(directory: string): Promise<RestoreStats> {
  const { restore } = await readStats('readRestoreStats', directory, 'stats-restore');
  if (!restore) {
    throw badImage(
      'readRestoreStats',
      join(directory, 'stats-restore'),
      'it has no entry of a restore',
    );
  }
  return {
    pagesCompared: restore.pages_compared,
    pagesSkippedCow: restore.pages_skipped_cow,
    pagesRestored: restore.pages_restored,
    forkingTimeMs: restore.forking_time / 1000,
    restoreTimeMs: restore.restore_time / 1000,
    pageSize: native().pageSize,
  };
}

/** Two magic numbers, the length of the entry, the entry. */
async function readStats(operation: string, directory: string, name: string) {
  if (typeof directory !== 'string') throw invalid(operation, 'directory', 'a path', directory);
  const path = join(directory, name);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw badImage(operation, path, (cause as Error).message, cause);
  }
  if (bytes.length < HEADER_SIZE)
    throw badImage(operation, path, `it has only ${bytes.length} bytes`);
  if (MAGIC.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
    throw badImage(operation, path, 'it is no statistics file of CRIU');
  }
  const size = bytes.readUInt32LE(8);
  const entry = bytes.subarray(HEADER_SIZE, HEADER_SIZE + size);
  if (entry.length < size)
    throw badImage(operation, path, `it ends after ${entry.length} of ${size} bytes`);
  try {
    return stats_entry.toObject(stats_entry.decode(entry), { longs: Number, enums: String });
  } catch (cause) {
    throw badImage(operation, path, (cause as Error).message, cause);
  }
}

function badImage(operation: string, path: string, why: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path}: ${why}`, { operation, cause });
}
