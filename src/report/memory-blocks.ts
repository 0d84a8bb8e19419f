import type { CheckpointDescription, MemorySizes } from '../images.ts';
import { groupBy } from './groups.ts';
import { clipped } from './html.ts';
import { classesOf, type MemoryClass } from './memory-classes.ts';
import { counted } from './quantities.ts';

/** The most mappings, and the most processes, with a block of their own. */
const MAX_BLOCKS = 200;

/** The most characters of a path. */
const MAX_NAME = 200;

/** Memory of one class, which is drawn as one area. */
export interface MemoryBlock extends MemorySizes {
  readonly class: MemoryClass;
  /** The process; undefined for the small blocks of several processes together. */
  readonly pid: number | undefined;
  readonly name: string;
}

/**
 * The memory of a checkpoint, the largest blocks first. The many small ones are taken together, those of a class by
 * process and, where these are many too, those of all processes.
 */
export function memoryBlocks(checkpoint: CheckpointDescription): MemoryBlock[] {
  const all = bySize(blocksOf(checkpoint).filter((block) => sizeOf(block) > 0));
  const ofProcesses = bySize(
    [...groupBy(all.slice(MAX_BLOCKS), (block) => `${block.class} ${block.pid}`).values()].map(
      (small) => together(small, small[0]?.pid, counted(small.length, 'smaller mapping')),
    ),
  );
  const ofAll = [...groupBy(ofProcesses.slice(MAX_BLOCKS), (block) => block.class).values()].map(
    (small) =>
      together(small, undefined, counted(small.length, 'other process', 'other processes')),
  );
  return [...all.slice(0, MAX_BLOCKS), ...ofProcesses.slice(0, MAX_BLOCKS), ...ofAll];
}

function bySize(blocks: readonly MemoryBlock[]): MemoryBlock[] {
  return [...blocks].sort((one, other) => sizeOf(other) - sizeOf(one));
}

function together(
  blocks: readonly MemoryBlock[],
  pid: number | undefined,
  name: string,
): MemoryBlock {
  return { class: blocks[0]?.class ?? 'other', pid, name, ...sumOf(blocks) };
}

/** The sum of all blocks of each class. */
export function totalsOf(blocks: readonly MemoryBlock[]): Map<MemoryClass, MemorySizes> {
  const groups = groupBy(blocks, ({ class: group }) => group);
  return new Map([...groups].map(([group, own]) => [group, sumOf(own)]));
}

/** All bytes of the memory, wherever they are. */
export function sizeOf({ bytesStored, bytesInParents, bytesLazy }: MemorySizes): number {
  return bytesStored + bytesInParents + bytesLazy;
}

export function sumOf(sizes: readonly MemorySizes[]): MemorySizes {
  let [bytesStored, bytesInParents, bytesLazy] = [0, 0, 0];
  for (const size of sizes) {
    bytesStored += size.bytesStored;
    bytesInParents += size.bytesInParents;
    bytesLazy += size.bytesLazy;
  }
  return { bytesStored, bytesInParents, bytesLazy };
}

function blocksOf({ processes, memory }: CheckpointDescription): MemoryBlock[] {
  // A pre-dump has no mappings.
  if (processes.length === 0) {
    return memory.map(({ pid, shared, bytesStored, bytesInParents, bytesLazy }) => ({
      ...{ class: pid === undefined ? 'shared' : 'unknown', pid },
      name: pid === undefined ? `shared memory ${shared}` : `process ${pid}`,
      ...{ bytesStored, bytesInParents, bytesLazy },
    }));
  }
  const seen = new Set<string>();
  return processes.flatMap((process) => {
    const classes = classesOf(process);
    return process.mappings.flatMap((mapping, index) => {
      const { kind, path, start, protection, shared, offset, size } = mapping;
      // Memory that several processes map is there once.
      const key = `${shared} ${offset} ${size}`;
      if (shared !== undefined && seen.has(key)) return [];
      if (shared !== undefined) seen.add(key);
      const { bytesStored, bytesInParents, bytesLazy } = mapping;
      return {
        ...{ class: classes[index] ?? 'other', pid: process.pid },
        name: `${clipped(path ?? `[${kind}]`, MAX_NAME)} ${start} ${protection}`,
        ...{ bytesStored, bytesInParents, bytesLazy },
      };
    });
  });
}
