import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pagemap_entry, pagemap_head } from '../generated/images/pagemap.ts';
import type { PageEntries } from '../native/index.ts';
import { decode } from '../protobuf/decode.ts';
import { encode } from '../protobuf/encode.ts';
import { BadImage, entriesOf, imageOf } from './image-file.ts';

// Flags of an entry. Source: CRIU's criu/include/pagemap.h.
export const IN_PARENT = 1;
export const LAZY = 2;
export const PRESENT = 4;
/** The bytes of the pages begin at the next page in the pages file; since CRIU 4.3, with compressed pages. */
export const PAYLOAD_ALIGNED = 8;

/** Consecutive pages. */
export interface PageRange {
  /** The address of the first page. */
  readonly start: number;
  /** The number of pages. */
  readonly count: number;
  /** True if the pages are in the pages file of this image. */
  readonly present: boolean;
  /** True if the pages are in the parent image. */
  readonly inParent: boolean;
  /** True if the pages can be fetched after the restore: from a lazy dump, unless they are present. */
  readonly lazy: boolean;
  /** True if the bytes of the pages begin at the next page in the pages file. */
  readonly aligned?: boolean;
  /** The size of the pages in the pages file, if they are compressed. */
  readonly compressedSize?: number | undefined;
}

/** The pages that an image has of a process, or of shared memory. */
export interface Pagemap {
  /** The number in the name of the pages file. */
  readonly pagesId: number;
  /** The name of the pages file. */
  readonly pagesFile: string;
  /** In ascending order of addresses. */
  readonly ranges: readonly PageRange[];
}

/** Reads a pagemap image. @throws BadImage */
export async function readPagemap(path: string): Promise<Pagemap> {
  const [head, ...entries] = await entriesOf(path);
  try {
    const { pages_id } = decode(pagemap_head, head as Uint8Array);
    const pagesFile = pagesFileOf(pages_id);
    return { pagesId: pages_id, pagesFile, ranges: entries.map(rangeOf) };
  } catch (error) {
    throw new BadImage(`has an entry that cannot be decoded: ${(error as Error).message}`);
  }
}

/** The paths of the pagemaps of processes in a directory, by their pids; or of shared memory, by its numbers. */
export async function pagemapsIn(
  directory: string,
  kind: 'processes' | 'shared' = 'processes',
): Promise<Map<number, string>> {
  const pattern = kind === 'shared' ? /^pagemap-shmem-(\d+)\.img$/ : /^pagemap-(\d+)\.img$/;
  const paths = new Map<number, string>();
  for (const name of await readdir(directory)) {
    const id = pattern.exec(name)?.[1];
    if (id !== undefined) paths.set(Number(id), join(directory, name));
  }
  return paths;
}

/** The name of the pagemap of a process. */
export function pagemapFileOf(pid: number): string {
  return `pagemap-${pid}.img`;
}

/** The name of a pages file. */
export function pagesFileOf(pagesId: number): string {
  return `pages-${pagesId}.img`;
}

/** True for the name of a file with pages. */
export function isPagesFile(name: string): boolean {
  return /^pages-\d+\.img$/.test(name);
}

/** The content of a pagemap image. The pages that are present are in the pages file, in this order. */
export function pagemapOf(pagesId: number, parts: readonly PageEntries[]): Buffer {
  const entries: Uint8Array[] = [encode(pagemap_head, { pages_id: pagesId })];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 3) {
      const [vaddr = 0, count = 0, flags = 0] = part.subarray(at, at + 3);
      // CRIU before 4.2 reads only the second field.
      const entry = { vaddr, compat_nr_pages: count, flags, nr_pages: count };
      entries.push(encode(pagemap_entry, entry));
    }
  }
  return imageOf('PAGEMAP', entries);
}

/** The flags of pages in a pagemap. */
export function flagsOf({ present, inParent, lazy }: PageRange): number {
  return (present ? PRESENT : 0) | (inParent ? IN_PARENT : 0) | (lazy ? LAZY : 0);
}

function rangeOf(bytes: Uint8Array): PageRange {
  const entry = decode(pagemap_entry, bytes);
  const inParent = entry.flags === undefined ? !!entry.in_parent : !!(entry.flags & IN_PARENT);
  const present = entry.flags === undefined ? !inParent : !!(entry.flags & PRESENT);
  const count: number = entry.nr_pages ?? entry.compat_nr_pages;
  return {
    ...{ start: entry.vaddr, count, present, inParent, lazy: !!((entry.flags ?? 0) & LAZY) },
    aligned: !!((entry.flags ?? 0) & PAYLOAD_ALIGNED),
    compressedSize: entry.blocks?.total_payload_size,
  };
}

/** The size of the pages file. */
export function pagesFileSize(ranges: readonly PageRange[], pageSize: number): number {
  return ranges.reduce((size, range) => payloadEnd(size, range, pageSize), 0);
}

/** Where the bytes of pages begin in the pages file, if those of the range before end at `offset`. */
export function payloadStart(offset: number, { aligned }: PageRange, pageSize: number): number {
  return aligned ? Math.ceil(offset / pageSize) * pageSize : offset;
}

/** Where they end. */
export function payloadEnd(offset: number, range: PageRange, pageSize: number): number {
  if (!range.present) return offset;
  const size = range.compressedSize ?? range.count * pageSize;
  return payloadStart(offset, range, pageSize) + size;
}

/**
 * Finds the address of the first page in `wanted` that `ranges` have neither themselves nor in their
 * own parent. Both are in ascending order of addresses, so that each is read once.
 */
export function firstMissing(
  wanted: readonly PageRange[],
  ranges: readonly PageRange[],
  pageSize: number,
): number | undefined {
  const endOf = ({ start, count }: PageRange) => start + count * pageSize;
  const available = ranges.filter(({ present, inParent }) => present || inParent).values();
  let next = available.next().value;
  for (const range of wanted) {
    for (let at = range.start; at < endOf(range); ) {
      while (next && endOf(next) <= at) next = available.next().value;
      if (!next || next.start > at) return at;
      at = endOf(next);
    }
  }
  return undefined;
}
