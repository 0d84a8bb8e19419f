import { pagemap_entry, pagemap_head } from '../generated/messages.js';
import { BadImage, entriesOf } from './image-file.ts';

const AS_NUMBERS = { longs: Number, enums: String } as const;
const IN_PARENT = 1;
const LAZY = 2;
const PRESENT = 4;

/** Pages in a row. */
export interface PageRange {
  /** The address of the first one. */
  readonly start: number;
  /** How many. */
  readonly count: number;
  /** They are in the pages file of this image. */
  readonly present: boolean;
  /** They are in the parent image. */
  readonly inParent: boolean;
  /** They can be fetched after the restore; if they are not present, from a lazy dump. */
  readonly lazy: boolean;
}

/** Which pages an image has of a process, or of shared memory. */
export interface Pagemap {
  /** The name of the file with the pages. */
  readonly pagesFile: string;
  /** In the order of addresses. */
  readonly ranges: readonly PageRange[];
}

/** Reads a pagemap image. @throws BadImage */
export async function readPagemap(path: string): Promise<Pagemap> {
  const [head, ...entries] = await entriesOf(path);
  try {
    const { pages_id } = pagemap_head.toObject(pagemap_head.decode(head as Uint8Array), AS_NUMBERS);
    return { pagesFile: `pages-${pages_id}.img`, ranges: entries.map(rangeOf) };
  } catch (error) {
    throw new BadImage(`has an entry that cannot be read: ${(error as Error).message}`);
  }
}

function rangeOf(bytes: Uint8Array): PageRange {
  const entry = pagemap_entry.toObject(pagemap_entry.decode(bytes), AS_NUMBERS);
  const inParent = entry.flags === undefined ? !!entry.in_parent : !!(entry.flags & IN_PARENT);
  const present = entry.flags === undefined ? !inParent : !!(entry.flags & PRESENT);
  const count: number = entry.nr_pages ?? entry.compat_nr_pages;
  return { start: entry.vaddr, count, present, inParent, lazy: !!((entry.flags ?? 0) & LAZY) };
}

/** The first page of a range that none of the ranges has, at home or in its own parent. */
export function firstMissing(
  { start, count }: PageRange,
  ranges: readonly PageRange[],
  pageSize: number,
): number | undefined {
  const end = start + count * pageSize;
  let at = start;
  for (const range of ranges) {
    if (range.start > at) break;
    const rangeEnd = range.start + range.count * pageSize;
    if ((range.present || range.inParent) && rangeEnd > at) at = rangeEnd;
    if (at >= end) return undefined;
  }
  return at < end ? at : undefined;
}
