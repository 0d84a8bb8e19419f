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

/**
 * The first page that some ranges have and others have not, at home or in their own parent; both in
 * the order of addresses, so that each is gone through once.
 */
export function firstMissing(
  wanted: readonly PageRange[],
  ranges: readonly PageRange[],
  pageSize: number,
): number | undefined {
  const endOf = ({ start, count }: PageRange) => start + count * pageSize;
  const held = ranges.filter(({ present, inParent }) => present || inParent).values();
  let next = held.next().value;
  for (const range of wanted) {
    for (let at = range.start; at < endOf(range); ) {
      while (next && endOf(next) <= at) next = held.next().value;
      if (!next || next.start > at) return at;
      at = endOf(next);
    }
  }
  return undefined;
}
