import { open } from 'node:fs/promises';
import { CriuError } from '../../errors.ts';
import { locatePages, readEachPagemap, type StoredPages } from '../../images/page-chain.ts';
import { PRESENT, pagemapFileOf } from '../../images/pagemap.ts';
import { type MemoryCopy, native } from '../../native/index.ts';
import { entriesOf, type Span } from './page-spans.ts';

/** Where the memory is that images and their parents have of processes, by the pids in the images. */
export type ParentPages = ReadonlyMap<number, readonly StoredPages[]>;

/** Pages after which another part of a file begins: 64 MiB of pages of 4 KiB. */
const PART_PAGES = 16_384;

/**
 * Finds the memory that images and their parents have of processes.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function findParentPages(operation: string, directory: string): Promise<ParentPages> {
  return await readEachPagemap(operation, directory, async (pid, ranges) => {
    const stored = ranges.filter(({ present, inParent }) => present || inParent);
    return await locatePages(directory, pagemapFileOf(pid), stored);
  });
}

/**
 * Loads pages of files into a copy, as if they were read from the process.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function loadPages(
  operation: string,
  copy: MemoryCopy,
  stored: readonly StoredPages[],
  throwIfCancelled: () => void,
): Promise<void> {
  for (const [path, parts] of partsByFile(stored)) {
    try {
      await using file = await open(path);
      for (const { spans, offset } of parts) {
        throwIfCancelled();
        await copy.load(file.fd, entriesOf(spans), offset);
      }
    } catch (cause) {
      if (cause instanceof CriuError) throw cause;
      const message = `${operation}: the parent image ${path} cannot be read: ${(cause as Error).message}`;
      throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, cause });
    }
  }
}

/** A part of a pages file. */
interface FilePart {
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** All pages in it. Those that are not wanted are not present. */
  readonly spans: Span[];
}

/** Divides pages by their files, and into parts of about the same size. */
export function partsByFile(stored: readonly StoredPages[]): Map<string, FilePart[]> {
  const { pageSize } = native();
  const files = new Map<string, FilePart[]>();
  let [end, left] = [0, 0];
  for (const { path, start, count, offset } of [...stored].sort(byPlace)) {
    const parts = files.get(path) ?? [];
    files.set(path, parts);
    // Behind compressed pages, others may begin anywhere.
    const skipped = (offset - end) / pageSize;
    if (parts.length === 0 || left <= 0 || !Number.isInteger(skipped)) {
      parts.push({ offset, spans: [] });
      left = PART_PAGES;
    } else if (skipped > 0) {
      parts.at(-1)?.spans.push([0, skipped, 0]);
    }
    parts.at(-1)?.spans.push([start, count, PRESENT]);
    end = offset + count * pageSize;
    left -= count;
  }
  return files;
}

function byPlace(one: StoredPages, other: StoredPages): number {
  if (one.path !== other.path) return one.path < other.path ? -1 : 1;
  return one.offset - other.offset;
}
