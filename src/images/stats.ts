import { join } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { stats_entry } from '../generated/images/stats.ts';
import { native } from '../native/index.ts';
import { type Files, remoteFiles } from '../process/files.ts';
import { decode } from '../protobuf/decode.ts';
import { type DumpStats, dumpStatsOf } from './dump-stats.ts';
import { headerOf } from './image-kinds.ts';

/** CRIU's measurements of a restore. Source: `restore_stats_entry` of `stats-restore`. */
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

const HEADER_SIZE = 12;

/**
 * Reads CRIU's statistics of a dump or pre-dump. CRIU does not reset its counters between the rounds
 * of an {@link Iteration}; {@link Round.stats} has the values of the round itself.
 * @param directory the work directory of the dump, which is the images directory if that option is absent
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT
 */
export async function readDumpStats(directory: string): Promise<DumpStats> {
  return await dumpStatsIn(directory, remoteFiles);
}

/** {@link readDumpStats} with the calls for the file system of the directory. */
export async function dumpStatsIn(directory: string, files: Files): Promise<DumpStats> {
  const { dump } = await readStats('readDumpStats', directory, 'stats-dump', files);
  if (!dump)
    throw badImage('readDumpStats', join(directory, 'stats-dump'), 'it has no dump statistics');
  return dumpStatsOf(dump, native().pageSize);
}

/**
 * Subtracts the statistics of the round before from those of a round. The counters are in memory that
 * all rounds of one criu share, and CRIU up to 4.2 does not reset them; if a value has decreased, this
 * CRIU does, and the statistics are those of the round already.
 */
export function statsSince(before: DumpStats | undefined, now: DumpStats): DumpStats {
  const { pageSize, ...counters } = now;
  const names = Object.keys(counters) as (keyof typeof counters)[];
  if (!before || names.some((name) => (now[name] ?? 0) < (before[name] ?? 0))) return now;
  const differences = names.map((name) => [
    name,
    // CRIU counts microseconds: round away the error of the subtraction.
    now[name] === undefined
      ? undefined
      : Math.round((now[name] - (before[name] ?? 0)) * 1000) / 1000,
  ]);
  return { ...Object.fromEntries(differences), pageSize };
}

/**
 * Reads CRIU's statistics of a restore.
 * @param directory the work directory of the restore, which is the images directory if that option is absent
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT
 */
export async function readRestoreStats(directory: string): Promise<RestoreStats> {
  return await restoreStatsIn(directory, remoteFiles);
}

/** {@link readRestoreStats} with the calls for the file system of the directory. */
export async function restoreStatsIn(directory: string, files: Files): Promise<RestoreStats> {
  const { restore } = await readStats('readRestoreStats', directory, 'stats-restore', files);
  if (!restore) {
    throw badImage(
      'readRestoreStats',
      join(directory, 'stats-restore'),
      'it has no restore statistics',
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

/** The format: two magic numbers, the length of the entry, the entry. */
async function readStats(operation: string, directory: string, name: string, files: Files) {
  if (typeof directory !== 'string') throw invalid(operation, 'directory', 'a path', directory);
  const path = join(directory, name);
  let bytes: Buffer;
  try {
    bytes = await files.readFile(path);
  } catch (cause) {
    throw badImage(operation, path, (cause as Error).message, cause);
  }
  if (bytes.length < HEADER_SIZE)
    throw badImage(operation, path, `it has only ${bytes.length} bytes`);
  if (headerOf('STATS').some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) {
    throw badImage(operation, path, 'it is not a CRIU statistics file');
  }
  const size = bytes.readUInt32LE(8);
  const entry = bytes.subarray(HEADER_SIZE, HEADER_SIZE + size);
  if (entry.length < size)
    throw badImage(operation, path, `it ends after ${entry.length} of ${size} bytes`);
  try {
    return decode(stats_entry, entry);
  } catch (cause) {
    throw badImage(operation, path, (cause as Error).message, cause);
  }
}

function badImage(operation: string, path: string, why: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path}: ${why}`, { operation, cause });
}
