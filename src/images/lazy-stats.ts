import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import type { DumpStats } from './dump-stats.ts';
import { BadImage } from './image-file.ts';
import { type PageRange, readPagemap } from './pagemap.ts';

/**
 * The statistics of a lazy dump. CRIU resets its counters when it begins to serve pages: it then reports
 * no memory and wrong times. So the pages are counted in the images, and the frozen time is measured.
 */
export async function lazyStats(
  operation: string,
  stats: DumpStats,
  imagesDirectory: string,
  frozenTimeMs: number,
): Promise<DumpStats> {
  const ranges = await rangesIn(operation, imagesDirectory);
  const pagesWritten = count(ranges, ({ present }) => present);
  const pagesSkippedParent = count(ranges, ({ inParent }) => inParent);
  const pagesLazy = count(ranges, ({ lazy, present, inParent }) => lazy && !present && !inParent);
  return {
    ...stats,
    frozenTimeMs,
    pagesScanned: pagesWritten + pagesSkippedParent + pagesLazy,
    pagesSkippedParent,
    pagesWritten,
    pagesLazy,
    bytesWritten: pagesWritten * stats.pageSize,
  };
}

/**
 * Counts the pages that a restore of these images can fetch later.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function lazyPagesIn(operation: string, imagesDirectory: string): Promise<number> {
  return count(
    await rangesIn(operation, imagesDirectory),
    ({ lazy, inParent }) => lazy && !inParent,
  );
}

async function rangesIn(operation: string, directory: string): Promise<PageRange[]> {
  const names = (await readdir(directory)).filter((name) => /^pagemap-.*\.img$/.test(name));
  const maps = await Promise.all(names.map((name) => rangesOf(operation, join(directory, name))));
  return maps.flat();
}

async function rangesOf(operation: string, path: string): Promise<readonly PageRange[]> {
  try {
    return (await readPagemap(path)).ranges;
  } catch (cause) {
    if (!(cause instanceof BadImage)) throw cause;
    const message = `${operation}: ${path} ${cause.message}`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
  }
}

function count(ranges: readonly PageRange[], which: (range: PageRange) => boolean): number {
  return ranges.filter(which).reduce((sum, range) => sum + range.count, 0);
}
