import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  flagsOf,
  IN_PARENT,
  LAZY,
  pagemapFileOf,
  pagemapOf,
  readPagemap,
} from '../../images/pagemap.ts';
import { native } from '../../native/index.ts';
import { PageServerStream } from './page-server-stream.ts';
import type { PageSink } from './page-sink.ts';
import { divide, merge, type Span } from './page-spans.ts';
import { RoundFiles } from './round-files.ts';
import type { ProcessPages } from './tree-copy.ts';

/** Completes the images of a lazy dump in a directory by what a comparison has found. */
export type Completion = (
  directory: string,
  processes: readonly ProcessPages[],
  throwIfCancelled: () => void,
) => Promise<void>;

/** Adds the changed pages to the images. */
export const addPages: Completion = async (directory, processes, throwIfCancelled) => {
  const pagesIds = await removePages(directory, processes);
  await using files = new RoundFiles(directory, pagesIds);
  await addAll(files, processes, throwIfCancelled);
  await files.finish();
};

/** Sends the changed pages, and those that CRIU has written, to a page server. */
export function sendPages(fd: number): Completion {
  return async (directory, processes, throwIfCancelled) => {
    await removePages(directory, processes);
    const stream = new PageServerStream(fd);
    await addAll(stream, processes, throwIfCancelled);
    await stream.moveShared(directory);
    await stream.finish();
  };
}

/** Leaves the changed pages in the processes: the images refer to the parent for the others. */
export const leavePages: Completion = async (directory, processes) => {
  const { pageSize } = native();
  for (const { id, entries } of processes) {
    const path = join(directory, pagemapFileOf(id));
    const { pagesId, ranges } = await readPagemap(path);
    const written = ranges.filter(({ present }) => present);
    const left = ranges.filter(({ present }) => !present);
    const { known } = divide(left, entries, pageSize);
    const pages = merge(
      written.map((range): Span => [range.start, range.count, flagsOf(range)]),
      known.map(([start, count, flags]): Span => [start, count, flags & IN_PARENT || LAZY]),
    );
    await writeFile(path, pagemapOf(pagesId, [pages]));
  }
};

async function addAll(
  sink: PageSink,
  processes: readonly ProcessPages[],
  throwIfCancelled: () => void,
): Promise<void> {
  for (const pages of processes) {
    throwIfCancelled();
    await sink.add(pages);
  }
}

/** Removes the pages that CRIU has written of the processes. Returns the numbers of their files. */
async function removePages(
  directory: string,
  processes: readonly ProcessPages[],
): Promise<ReadonlyMap<number, number>> {
  const pagesIds = new Map<number, number>();
  for (const { id } of processes) {
    const path = join(directory, pagemapFileOf(id));
    const { pagesId, pagesFile } = await readPagemap(path);
    await unlink(path);
    await unlink(join(directory, pagesFile));
    pagesIds.set(id, pagesId);
  }
  return pagesIds;
}
