import { join } from 'node:path';
import { mm_entry } from '../generated/images/memory.ts';
import type { VmaEntry } from '../generated/images/types.ts';
import { native } from '../native/index.ts';
import { decode, type Plain } from '../protobuf/decode.ts';
import { entriesOf } from './image-file.ts';
import {
  CompressedPages,
  locatePages,
  type Pages,
  readEachPagemap,
  type StoredPages,
} from './page-chain.ts';
import { type PageRange, pagemapFileOf } from './pagemap.ts';

/** Consecutive pages that a process gets after its restore: from a file, or from the source of a lazy dump. */
export type LazyRange = (StoredPages | (Pages & { readonly path?: undefined })) & {
  /** True if children that the process forks get zeros instead (MADV_WIPEONFORK). */
  readonly isWiped?: boolean;
  /** True for pages that are to be there before the others. */
  readonly isFirst?: boolean;
};

/** The memory that processes get after their restore, by the pids in the images, in ascending order of addresses. */
export type LazyMemory = ReadonlyMap<number, readonly LazyRange[]>;

/** The bit of MADV_WIPEONFORK in the advice of a mapping. */
const WIPE_ON_FORK = 1n << 18n;

/**
 * Finds the memory that a restore of these images can fetch later, but for what is in their parents.
 * @returns undefined if pages are compressed, so that they cannot be read one by one
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function lazyMemoryIn(
  operation: string,
  directory: string,
): Promise<LazyMemory | undefined> {
  return await readEachPagemap(operation, directory, async (pid, ranges) => {
    const lazy = ranges.filter(({ lazy, inParent }) => lazy && !inParent);
    return await placesOf(directory, pid, lazy, await mappingsIn(directory, pid));
  }).catch((error: Error) => {
    if (error.cause instanceof CompressedPages) return undefined;
    throw error;
  });
}

/** Where the lazy pages of a process are. Those that no image has are at the source of a lazy dump. */
export async function placesOf(
  directory: string,
  pid: number,
  lazy: readonly PageRange[],
  mappings: readonly Plain<VmaEntry>[],
): Promise<readonly LazyRange[]> {
  const isHere = ({ present, inParent }: PageRange) => present || inParent;
  const here = await locatePages(directory, pagemapFileOf(pid), lazy.filter(isHere));
  const elsewhere = lazy.filter((range) => !isHere(range));
  const remote = elsewhere.map(({ start, count }) => ({ start, count }));
  const places = [...here, ...remote].sort((one, other) => one.start - other.start);
  const wiped = mappings.filter(({ madv = 0 }) => BigInt(madv) & WIPE_ON_FORK);
  return wiped.length === 0 ? places : places.flatMap((place) => markWiped(place, wiped));
}

/** Reads the mappings of a process. @throws BadImage */
export async function mappingsIn(directory: string, pid: number): Promise<Plain<VmaEntry>[]> {
  const [memory] = await entriesOf(join(directory, `mm-${pid}.img`));
  return decode(mm_entry, memory as Uint8Array).vmas ?? [];
}

/** Splits pages where mappings begin and end, and marks those inside. */
function markWiped(place: LazyRange, wiped: readonly Plain<VmaEntry>[]): LazyRange[] {
  const { pageSize } = native();
  const last = place.start + place.count * pageSize;
  const borders = wiped.flatMap(({ start, end }) => [start, end]);
  const inside = borders.filter((at) => place.start < at && at < last);
  return [place.start, ...inside].map((start, index) => {
    const count = ((inside[index] ?? last) - start) / pageSize;
    const isWiped = wiped.some((mapping) => mapping.start <= start && start < mapping.end);
    return { ...partOf(place, { start, count }), isWiped };
  });
}

/** Some of the pages of a range. */
export function partOf(range: LazyRange, { start, count }: Pages): LazyRange {
  if (range.path === undefined) return { ...range, start, count };
  return { ...range, start, count, offset: range.offset + start - range.start };
}

/** Counts the pages. */
export function countLazyPages(memory: LazyMemory): number {
  return [...memory.values()].flat().reduce((sum, { count }) => sum + count, 0);
}

/** True if some of the pages are in no image. */
export function lacksPages(memory: LazyMemory): boolean {
  return [...memory.values()].some((places) => places.some(({ path }) => path === undefined));
}
