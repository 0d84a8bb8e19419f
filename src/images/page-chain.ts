import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import { native } from '../native/index.ts';
import { BadImage } from './image-file.ts';
import { type PageRange, pagemapsIn, payloadEnd, payloadStart, readPagemap } from './pagemap.ts';

/** Consecutive pages, by the address of the first. */
export type Pages = Pick<PageRange, 'start' | 'count'>;

/** Consecutive pages in a file. */
export interface StoredPages extends Pages {
  /** The path of the pages file, and where the pages begin in it, in bytes. */
  readonly path: string;
  readonly offset: number;
}

/**
 * Calls `read` with the pagemap of each process in a directory. It may read the images of parents as well.
 * @returns what it has resolved with, by the pids in the images
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with a BadImage as its cause
 */
export async function readEachPagemap<T>(
  operation: string,
  directory: string,
  read: (pid: number, ranges: readonly PageRange[]) => Promise<T>,
): Promise<Map<number, T>> {
  const results = new Map<number, T>();
  for (const [pid, path] of await pagemapsIn(directory)) {
    try {
      results.set(pid, await read(pid, (await readPagemap(path)).ranges));
    } catch (cause) {
      if (!(cause instanceof BadImage)) throw cause;
      const message = `${operation}: ${path}, or an image that it needs, ${cause.message}`;
      throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
    }
  }
  return results;
}

/** Some of the pages are compressed. */
export class CompressedPages extends BadImage {
  constructor() {
    super('has compressed pages, which cannot be read one by one');
  }
}

/**
 * Finds in which files of a dump and its parents the pages of a process are.
 * @param name the name of the pagemap, which is the same in all directories
 * @param wanted in ascending order of addresses
 * @returns the pages in ascending order of addresses
 * @throws BadImage
 */
export async function locatePages(
  directory: string,
  name: string,
  wanted: readonly Pages[],
): Promise<StoredPages[]> {
  const found: StoredPages[] = [];
  let at = directory;
  for (let missing = wanted; missing.length > 0; ) {
    const { pagesFile, ranges } = await readPagemap(join(at, name));
    missing = take(missing, ranges, join(at, pagesFile), found);
    if (missing.length > 0) at = await realpath(join(at, 'parent'));
  }
  return found.sort((one, other) => one.start - other.start);
}

/** Moves the wanted pages that an image has itself to `found`, and returns those that its parent has. */
function take(
  wanted: readonly Pages[],
  ranges: readonly PageRange[],
  path: string,
  found: StoredPages[],
): Pages[] {
  const { pageSize } = native();
  const endOf = ({ start, count }: Pages) => start + count * pageSize;
  const inParent: Pages[] = [];
  let next = 0;
  let offset = 0;
  for (const pages of wanted) {
    for (let at = pages.start; at < endOf(pages); ) {
      let range = ranges[next];
      for (; range && endOf(range) <= at; range = ranges[++next]) {
        offset = payloadEnd(offset, range, pageSize);
      }
      if (!range || range.start > at || !(range.present || range.inParent)) {
        throw new BadImage(`lacks the page at 0x${at.toString(16)}`);
      }
      const end = Math.min(endOf(pages), endOf(range));
      const part = { start: at, count: (end - at) / pageSize };
      if (range.present && range.compressedSize !== undefined) {
        throw new CompressedPages();
      }
      const start = payloadStart(offset, range, pageSize);
      if (range.present) found.push({ ...part, path, offset: start + at - range.start });
      else inParent.push(part);
      at = end;
    }
  }
  return inParent;
}
