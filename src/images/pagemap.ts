import { pagemap_entry, pagemap_head } from '../generated/messages.ts';
import { decode } from '../protobuf/decode.ts';
import { BadImage, entriesOf } from './image-file.ts';

// Flags of an entry. Source: CRIU's criu/include/pagemap.h.
const IN_PARENT = 1;
const LAZY = 2;
const PRESENT = 4;

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
}

/** The pages that an image has of a process, or of shared memory. */
export interface Pagemap {
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
    return { pagesFile: `pages-${pages_id}.img`, ranges: entries.map(rangeOf) };
  } catch (error) {
    throw new BadImage(`has an entry that cannot be decoded: ${(error as Error).message}`);
  }
}

function rangeOf(bytes: Uint8Array): PageRange {
  const entry = decode(pagemap_entry, bytes);
  const inParent = entry.flags === undefined ? !!entry.in_parent : !!(entry.flags & IN_PARENT);
  const present = entry.flags === undefined ? !inParent : !!(entry.flags & PRESENT);
  const count: number = entry.nr_pages ?? entry.compat_nr_pages;
  return { start: entry.vaddr, count, present, inParent, lazy: !!((entry.flags ?? 0) & LAZY) };
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
