import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { VmaEntry } from '../../../generated/images/types.ts';
import { hasBuildId } from '../../build-id.ts';
import type { MappedFile } from '../mapped-files.ts';
import { isRegularFile, type MemoryMapping, mappingOf, sharedIdOf } from '../mappings.ts';
import type { ProcessMemory } from '../process-memory.ts';
import type { Segment } from './elf-format.ts';

const PROT_READ = 1;

/** Mappings that are zeros where the images have no pages. */
const zeroed: ReadonlySet<string> = new Set(['anonymous', 'heap', 'stack', 'shared', 'vdso']);

/** A segment of a core file, and the file that has the pages which are not in the images. */
export interface CoreSegment extends Segment {
  readonly file: { readonly path: string; readonly offset: bigint } | undefined;
}

/** Consecutive pages. */
interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** The mappings of a process as segments of a core file. */
export interface CoreMemory {
  readonly segments: readonly CoreSegment[];
  readonly mappings: readonly MemoryMapping[];
  /** The mapped files that are missing or have changed, so that the core file lacks their pages. */
  readonly missing: readonly string[];
}

/** A mapping of which all bytes are known becomes one segment; another one has a segment for each range of pages. */
export async function coreMemory(memory: ProcessMemory): Promise<CoreMemory> {
  const files = await memory.files();
  const { ranges, lazy } = await rangesIn(memory);
  const missing = new Set<string>();
  const isUnchanged = new Map<string, boolean>();
  const segments: CoreSegment[] = [];
  const mappings: MemoryMapping[] = [];
  for (const [index, vma] of memory.vmas.entries()) {
    const mapping = mappingOf(vma, files, memory.mm);
    mappings.push(mapping);
    const { start, end, prot } = vma;
    const isReadable = (prot & PROT_READ) !== 0 && !lazy.has(index);
    const file = isRegularFile(vma) ? files.get(Number(vma.shmid)) : undefined;
    if (file && isReadable) {
      const known = isUnchanged.get(file.path) ?? (await isAsDumped(file));
      isUnchanged.set(file.path, known);
      if (known) {
        const from = { path: file.path, offset: vma.pgoff };
        segments.push({ start, end, prot, stored: Number(end - start), file: from });
        continue;
      }
      missing.add(file.path);
    }
    const isZeroed = zeroed.has(mapping.kind) || sharedIdOf(vma, files) !== undefined;
    if (isZeroed && isReadable) {
      segments.push({ start, end, prot, stored: Number(end - start), file: undefined });
    } else {
      segments.push(...segmentsOf(vma, ranges[index] ?? []));
    }
  }
  return { segments, mappings, missing: [...missing] };
}

/** The pages of each mapping that the images have, and the mappings of which pages were left in the process. */
async function rangesIn(memory: ProcessMemory) {
  const ranges: Range[][] = memory.vmas.map(() => []);
  const lazy = new Set<number>();
  let index = 0;
  for await (const extent of memory.extents()) {
    while ((memory.vmas[index]?.end ?? extent.end) <= extent.start && index < ranges.length)
      index++;
    for (let at = index; at < ranges.length; at++) {
      const vma = memory.vmas[at] as VmaEntry;
      if (vma.start >= extent.end) break;
      if (!extent.isPresent) {
        lazy.add(at);
        continue;
      }
      const start = vma.start > extent.start ? vma.start : extent.start;
      const end = vma.end < extent.end ? vma.end : extent.end;
      const own = ranges[at] as Range[];
      const last = own.at(-1);
      if (last?.end === start) own[own.length - 1] = { start: last.start, end };
      else own.push({ start, end });
    }
  }
  return { ranges, lazy };
}

/** The pages that there are, and between them what is not known. */
function segmentsOf({ start, end, prot }: VmaEntry, ranges: readonly Range[]): CoreSegment[] {
  const segments: CoreSegment[] = [];
  let at = start;
  const add = (to: bigint, isStored: boolean) => {
    if (to <= at) return;
    const stored = isStored ? Number(to - at) : 0;
    segments.push({ start: at, end: to, prot, stored, file: undefined });
    at = to;
  };
  for (const range of ranges) {
    add(range.start, false);
    add(range.end, true);
  }
  add(end, false);
  return segments;
}

/** True if there is a file of this path, and it has the size and the build id that it had at the dump. */
async function isAsDumped({ path, size, buildId = [] }: MappedFile): Promise<boolean> {
  const file = path.startsWith('/') ? await openFile(path) : undefined;
  if (file === undefined) return false;
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile() || stats.size !== size) return false;
    return buildId.length === 0 || (await hasBuildId(file, buildId));
  } finally {
    await file.close();
  }
}

/** Opens a mapped file without waiting for it, whatever it is now; undefined if it cannot be read. */
export async function openFile(path: string): Promise<FileHandle | undefined> {
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
}
