import type { MmEntry, VmaEntry } from '../../generated/images/types.ts';
import type { MappedFile } from '../memory/mapped-files.ts';
import { fileIdOf, mappingOf, realMappings, sharedIdOf } from '../memory/mappings.ts';
import { MemoryLevel } from '../memory/memory-level.ts';
import type { PageRun } from '../memory/page-runs.ts';
import type { MemorySizes } from './described-memory.ts';
import type { DescribedMapping } from './described-process.ts';

const NOTHING: MemorySizes = { bytesStored: 0, bytesInParents: 0, bytesLazy: 0 };

/** Pages of a process or of shared memory, in the order of addresses. */
export type Runs = readonly PageRun[];

/** Reads which pages the images of a directory have. @throws CriuError ERR_CRIU_BAD_IMAGE */
export async function readRuns(directory: string, name: string, pageSize: number): Promise<Runs> {
  const level = await MemoryLevel.open('describeCheckpoint', directory, name, pageSize);
  return level.runs;
}

/** How many bytes of the pages are where. */
export function sizesOf(runs: Runs): MemorySizes {
  return sizesWithin(runs, 0n, 1n << 64n);
}

/** What mappings may refer to. */
export interface MappingContext {
  readonly runs: Runs;
  /** The pages of shared memory by its number. */
  readonly shared: ReadonlyMap<number, Runs>;
  /** The mapped files by their ids. */
  readonly files: ReadonlyMap<number, MappedFile>;
}

/** The mappings of a process. */
export function describeMappings(mm: MmEntry, context: MappingContext): DescribedMapping[] {
  return realMappings(mm.vmas).map((vma) => describeMapping(mm, vma, context));
}

function describeMapping(
  mm: MmEntry,
  vma: VmaEntry,
  { runs, shared, files }: MappingContext,
): DescribedMapping {
  const { start, end, pgoff } = vma;
  const { protection, kind, path, offset } = mappingOf(vma, files, mm);
  const number = sharedIdOf(vma, files);
  const pages = number === undefined ? undefined : shared.get(number);
  return {
    start: hex(start),
    end: hex(end),
    size: Number(end - start),
    ...{ protection, kind, path },
    file: path === undefined ? undefined : fileIdOf(vma),
    offset: Number(offset),
    shared: number,
    ...(pages ? sizesWithin(pages, pgoff, pgoff + (end - start)) : sizesWithin(runs, start, end)),
  };
}

/** Finds the first run by halving, because mappings and runs may be many. */
function sizesWithin(runs: Runs, start: bigint, end: bigint): MemorySizes {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle] as PageRun).end <= start) low = middle + 1;
    else high = middle;
  }
  let [bytesStored, bytesInParents, bytesLazy] = [0, 0, 0];
  for (let index = low; index < runs.length; index++) {
    const run = runs[index] as PageRun;
    if (run.start >= end) break;
    const from = run.start > start ? run.start : start;
    const size = Number((run.end < end ? run.end : end) - from);
    if (run.offset !== undefined) bytesStored += size;
    else if (run.inParent) bytesInParents += size;
    else if (run.lazy) bytesLazy += size;
  }
  return bytesStored + bytesInParents + bytesLazy === 0
    ? NOTHING
    : { bytesStored, bytesInParents, bytesLazy };
}

/** An address as text. */
export function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
