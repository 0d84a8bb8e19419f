import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { core_entry } from '../generated/images/tasks.ts';
import type { CoreEntry, VmaEntry } from '../generated/images/types.ts';
import { native } from '../native/index.ts';
import { remoteFiles } from '../process/files.ts';
import { eachOf } from '../procfs/read.ts';
import { decode, type Plain } from '../protobuf/decode.ts';
import { BadImage, entriesOf } from './image-file.ts';
import { type LazyMemory, type LazyRange, mappingsIn, placesOf } from './lazy-memory.ts';
import { type Area, dividerBy } from './page-areas.ts';
import { flagsOf, LAZY, type PageRange, pagemapOf, pagemapsIn, readPagemap } from './pagemap.ts';
import { readTree } from './pstree.ts';

/** The memory of a dump and its parents that a restore can fetch later. */
export interface LazyChain {
  readonly memory: LazyMemory;
  /**
   * Marks the pages of parents as lazy in the pagemaps of the dump. Only a restore that fetches {@link memory} can
   * use the dump then.
   */
  mark(): Promise<void>;
}

// Flags of mappings: those of mmap(2), and the status of CRIU's criu/include/image.h.
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_LOCKED = 0x2000;
const MAP_HUGETLB = 0x40000;
/** The mappings vsyscall, vdso and vvar. */
const SPECIAL = (1 << 2) | (1 << 3) | (1 << 12);
/** A stack pointer that is not known. */
const UNKNOWN = -1;

/**
 * Finds the memory of a dump, and of its parents, that a restore can fetch later: what CRIU's dump has marked,
 * and what it would have marked if the pages were not in the parent.
 */
export async function findLazyChain(directory: string): Promise<LazyChain> {
  const tree = await readTree(directory, remoteFiles);
  const threads = new Map(tree.map(({ pid, threads }) => [pid, threads]));
  const processes = await eachOf(await pagemapsIn(directory), ([pid, path]) =>
    findInChain(directory, path, [pid, ...(threads.get(pid) ?? [])]).catch((cause) => {
      if (!(cause instanceof BadImage)) throw cause;
      throw new Error(`${path}, or an image that it needs, ${cause.message}`, { cause });
    }),
  );
  const memory = new Map(processes.map(({ pid, places }) => [pid, places]));
  const mark = async () => {
    for (const { path, pagemap } of processes) if (pagemap) await writeFile(path, pagemap);
  };
  return { memory, mark };
}

interface LazyProcess {
  readonly pid: number;
  readonly path: string;
  /** The content of the pagemap with all lazy pages marked, if some of them are in parents. */
  readonly pagemap?: Buffer;
  readonly places: readonly LazyRange[];
}

async function findInChain(
  directory: string,
  path: string,
  [pid, ...threads]: readonly [number, ...number[]],
): Promise<LazyProcess> {
  const { pagesId, ranges } = await readPagemap(path);
  const mappings = await mappingsIn(directory, pid);
  const hasParent = ranges.some(({ inParent }) => inParent);
  const areas = hasParent ? await lazyAreas(directory, [pid, ...threads], mappings) : [];
  const marked = markLazy(ranges, areas);
  const lazy = marked.filter((range) => range.lazy);
  const places = await placesOf(directory, pid, lazy, mappings);
  if (!hasParent) return { pid, path, places };
  const entries = marked.flatMap((range) => [
    ...[range.start, range.count],
    range.inParent && range.lazy ? LAZY : flagsOf(range),
  ]);
  return { pid, path, pagemap: pagemapOf(pagesId, [Float64Array.from(entries)]), places };
}

/**
 * Where a dump can leave memory lazy: in private anonymous mappings, but not in the pages to which the stack
 * pointers of the threads point. Source: vma_entry_can_be_lazy() and is_stack() of CRIU.
 */
async function lazyAreas(
  directory: string,
  threads: readonly number[],
  mappings: readonly Plain<VmaEntry>[],
): Promise<Area[]> {
  const cores = await eachOf(new Set(threads), async (id) => {
    const [core] = await entriesOf(join(directory, `core-${id}.img`));
    return stackPointerOf(decode(core_entry, core as Uint8Array));
  });
  // Of other architectures nothing is known: all stays where it is.
  if (cores.includes(UNKNOWN)) return [];
  const { pageSize } = native();
  const stacks = cores.map((pointer) => pointer - (pointer % pageSize)).sort((a, b) => a - b);
  return mappings.filter(canBeLazy).flatMap(({ start, end }) => {
    const inside = stacks.filter((page) => start <= page && page < end);
    const starts = [start, ...inside.map((page) => page + pageSize)];
    return starts.map((from, index): Area => [from, inside[index] ?? end]);
  });
}

function canBeLazy({ flags, status }: Plain<VmaEntry>): boolean {
  const isPrivate = (flags & MAP_ANONYMOUS) !== 0 && (flags & MAP_PRIVATE) !== 0;
  return isPrivate && (flags & (MAP_LOCKED | MAP_HUGETLB)) === 0 && (status & SPECIAL) === 0;
}

function stackPointerOf({ thread_info, ti_aarch64 }: Plain<CoreEntry>): number {
  return thread_info?.gpregs.sp ?? ti_aarch64?.gpregs.sp ?? UNKNOWN;
}

/** Marks those pages of the parent as lazy that are in one of the areas. Both are in ascending order. */
function markLazy(ranges: readonly PageRange[], areas: readonly Area[]): PageRange[] {
  const divide = dividerBy(areas);
  return ranges.flatMap((range) =>
    range.inParent
      ? divide(range).map(({ isInside, ...part }) => ({ ...range, ...part, lazy: isInside }))
      : [range],
  );
}
