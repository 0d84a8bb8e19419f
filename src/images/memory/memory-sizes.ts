import { join } from 'node:path';
import { checkOptions, checkValue } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { decodeImage } from '../decode-image.ts';
import type { MemorySizes } from '../description/described-memory.ts';
import { type MemoryMapping, mappingOf } from './mappings.ts';
import { pidNumber } from './options.ts';
import { ProcessMemory, pidsWithMemory } from './process-memory.ts';

const operation = 'memorySizes';

/** Options of {@link memorySizes}. */
export interface MemorySizesOptions {
  /** This process only, by the pid that it had in its own pid namespace; by default all. */
  readonly pid?: number | undefined;
}

/** How much memory there is and where it is, in bytes. */
export interface MemorySize extends MemorySizes {
  /** All of it. */
  readonly size: number;
  /** What was never written, or is as in the mapped file. */
  readonly bytesAbsent: number;
}

/** A mapping and its sizes. */
export interface MappingSize extends MemoryMapping, MemorySize {}

/** A file that is mapped, and the sizes of its mappings together. */
export interface MappedFileSize extends MemorySize {
  /** The path of the file, or the name of a memfd. */
  readonly path: string;
  /** The number of its mappings. */
  readonly mappings: number;
}

/** The sizes of the memory of a process. */
export interface ProcessMemorySize extends MemorySize {
  /** The process, by the pid that it had in its own pid namespace. */
  readonly pid: number;
  /** Its name; undefined in the images of a pre-dump, which have no mappings either. */
  readonly name: string | undefined;
  /** How much of `bytesStored` and `bytesInParents` is memory that processes share. */
  readonly bytesShared: number;
  /** The mappings, in the order of addresses. */
  readonly mappings: readonly MappingSize[];
  /** The mapped files, in the order of paths. */
  readonly files: readonly MappedFileSize[];
}

/**
 * How much memory the processes of a dump have, and where it is: in the images of the dump, in those of earlier rounds,
 * in the process, or nowhere.
 * @param directory the images directory
 * @returns the processes in the order of pids
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_INVALID_ARGUMENT
 */
export async function memorySizes(
  directory: string,
  options: MemorySizesOptions = {},
): Promise<ProcessMemorySize[]> {
  checkValue(operation, 'directory', text, directory);
  const { pid } = checkOptions(operation, options, { pid: pidNumber });
  const sizes: ProcessMemorySize[] = [];
  for (const each of pid === undefined ? await pidsWithMemory(operation, directory) : [pid]) {
    const memory = await ProcessMemory.open(operation, directory, each);
    try {
      sizes.push(await sizesOf(memory));
    } finally {
      await memory.close();
    }
  }
  return sizes;
}

async function sizesOf(memory: ProcessMemory): Promise<ProcessMemorySize> {
  const { pid, vmas } = memory;
  const files = await memory.files();
  const counts = vmas.map(({ start, end }) => new Count(Number(end - start)));
  // The pages of a pre-dump are in no mapping.
  const elsewhere = new Count(0);
  let index = 0;
  for await (const extent of memory.extents()) {
    for (let at = extent.start; at < extent.end; ) {
      while (index < vmas.length && (vmas[index]?.end as bigint) <= at) index++;
      const vma = vmas[index];
      const isInside = vma !== undefined && vma.start <= at;
      const end = isInside ? vma.end : (vma?.start ?? extent.end);
      const to = end < extent.end ? end : extent.end;
      const count = isInside ? (counts[index] as Count) : elsewhere;
      const bytes = Number(to - at);
      if (!isInside) count.size += bytes;
      if (!extent.isPresent) count.bytesLazy += bytes;
      else if (extent.depth > 0) count.bytesInParents += bytes;
      else count.bytesStored += bytes;
      at = to;
    }
  }
  const mappings = vmas.map((vma, at) => ({
    ...mappingOf(vma, files, memory.mm),
    ...(counts[at] as Count).total,
  }));
  const shared = mappings.filter(
    ({ kind, protection }) => kind !== 'file' && protection[3] === 's',
  );
  return {
    ...{ pid, name: await nameOf(memory) },
    ...sumOf([...mappings, elsewhere.total]),
    bytesShared: shared.reduce((sum, each) => sum + each.bytesStored + each.bytesInParents, 0),
    ...{ mappings, files: filesOf(mappings) },
  };
}

/** Counts bytes. */
class Count {
  size: number;
  bytesStored = 0;
  bytesInParents = 0;
  bytesLazy = 0;

  constructor(size: number) {
    this.size = size;
  }

  get total(): MemorySize {
    const { size, bytesStored, bytesInParents, bytesLazy } = this;
    const bytesAbsent = size - bytesStored - bytesInParents - bytesLazy;
    return { size, bytesStored, bytesInParents, bytesLazy, bytesAbsent };
  }
}

function sumOf(sizes: readonly MemorySize[]): MemorySize {
  const sum = (name: keyof MemorySize) => sizes.reduce((total, size) => total + size[name], 0);
  return {
    size: sum('size'),
    bytesStored: sum('bytesStored'),
    bytesInParents: sum('bytesInParents'),
    bytesLazy: sum('bytesLazy'),
    bytesAbsent: sum('bytesAbsent'),
  };
}

function filesOf(mappings: readonly MappingSize[]): MappedFileSize[] {
  const byPath = new Map<string, MappingSize[]>();
  for (const mapping of mappings) {
    if (mapping.path === undefined) continue;
    const known = byPath.get(mapping.path);
    if (known) known.push(mapping);
    else byPath.set(mapping.path, [mapping]);
  }
  return [...byPath]
    .map(([path, all]) => ({ path, mappings: all.length, ...sumOf(all) }))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function nameOf({ directory, pid, mm }: ProcessMemory): Promise<string | undefined> {
  if (mm === undefined) return undefined;
  const path = join(directory, `core-${pid}.img`);
  for await (const { message } of decodeImage(path, { kind: 'CORE' })) return message.tc?.comm;
  return undefined;
}
