import type { PagemapBlocks, PagemapEntry } from '../../generated/images/types.ts';
import { IN_PARENT, LAZY, PAYLOAD_ALIGNED, PRESENT } from '../pagemap.ts';

/** The largest block that CRIU compresses, in bytes. */
const MAX_BLOCK = 4 * 1024 * 1024;

/** Consecutive pages of a pagemap. */
export interface PageRun {
  /** The address of the first page. */
  readonly start: bigint;
  /** The address after the last page. */
  readonly end: bigint;
  /** Where the bytes of present pages begin in the pages file; undefined for other pages. */
  readonly offset: number | undefined;
  /** The blocks of compressed pages. */
  readonly blocks: Blocks | undefined;
  readonly inParent: boolean;
  readonly lazy: boolean;
}

/** Compressed blocks. */
export interface Blocks {
  /** Where each block begins after the offset of the run, and where the last one ends. */
  readonly offsets: readonly number[];
  /** The size of a block when it is decompressed, in bytes; the last one may be smaller. */
  readonly plainSize: number;
}

/**
 * The pages that entries of a pagemap stand for, and where they are in the pages file.
 * @throws Error if an entry contradicts itself
 */
export function pageRuns(entries: readonly PagemapEntry[], pageSize: number): PageRun[] {
  let fileOffset = 0;
  let before = 0n;
  return entries.map((entry) => {
    const { vaddr: start, flags, in_parent = false, blocks } = entry;
    const count = entry.nr_pages ?? BigInt(entry.compat_nr_pages);
    const end = start + count * BigInt(pageSize);
    if (start < before || count === 0n || start % BigInt(pageSize) !== 0n || end > 1n << 64n) {
      throw new Error(`the pages at 0x${start.toString(16)} are out of order`);
    }
    before = end;
    const inParent = flags === undefined ? in_parent : (flags & IN_PARENT) !== 0;
    const lazy = ((flags ?? 0) & LAZY) !== 0;
    const isPresent = flags === undefined ? !in_parent : (flags & PRESENT) !== 0;
    if (!isPresent) return { start, end, offset: undefined, blocks: undefined, inParent, lazy };
    if ((flags ?? 0) & PAYLOAD_ALIGNED) fileOffset = Math.ceil(fileOffset / pageSize) * pageSize;
    const offset = fileOffset;
    const own = blocks && blocksOf(blocks, Number(end - start), pageSize);
    fileOffset += own ? (own.offsets.at(-1) as number) : Number(end - start);
    return { start, end, offset, blocks: own, inParent: false, lazy };
  });
}

function blocksOf(
  { block_sizes = [], pages_per_block, total_payload_size }: PagemapBlocks,
  size: number,
  pageSize: number,
): Blocks {
  const plainSize = pages_per_block * pageSize;
  if (plainSize === 0 || plainSize > MAX_BLOCK) throw new Error(`a block has ${plainSize} bytes`);
  if (block_sizes.length !== Math.ceil(size / plainSize)) {
    throw new Error(`${size} bytes of pages are in ${block_sizes.length} blocks of ${plainSize}`);
  }
  const offsets = [0];
  for (const [index, blockSize] of block_sizes.entries()) {
    const plain = Math.min(plainSize, size - index * plainSize);
    if (blockSize > plain) throw new Error(`a block of ${plain} bytes takes ${blockSize}`);
    offsets.push((offsets[index] as number) + blockSize);
  }
  if (BigInt(offsets.at(-1) as number) !== total_payload_size) {
    throw new Error(`blocks of ${offsets.at(-1)} bytes are said to have ${total_payload_size}`);
  }
  return { offsets, plainSize };
}
