import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PagemapEntry } from '../../generated/images/types.ts';
import { encodeImage } from '../encode-image.ts';
import { damaged } from '../memory/damage.ts';
import type { MemoryChain, MemoryExtent } from '../memory/memory-chain.ts';
import { LAZY, PRESENT, pagesFileOf } from '../pagemap.ts';
import { cloneFile } from './copied-files.ts';

/** How many bytes are written at once. */
const PIECE = 4 * 1024 * 1024;
/** Zeros of this size become a hole. */
const HOLE = Buffer.alloc(64 * 1024);
const MAX_UINT32 = 0xffffffff;

/** Consecutive pages with the same flags. */
interface Run {
  readonly start: bigint;
  end: bigint;
  readonly flags: number;
}

/** What was written of a memory. */
export interface MergedMemory {
  /** The bytes of its pages. */
  readonly size: number;
  /** How many rounds it came from: the last one, and those before it as far as they have pages of it. */
  readonly rounds: number;
}

/**
 * Writes the pages of a memory, from the images of all rounds, as one pagemap and one pages file. Compressed pages are
 * decompressed, so that every version of CRIU reads them.
 * @param pagemap the name of the pagemap
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function writeMergedMemory(
  operation: string,
  chain: MemoryChain,
  pagesId: number,
  pagemap: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<MergedMemory> {
  const runs: Run[] = [];
  let depth = 0;
  let size = 0;
  // Where the pages would be in the pages file of the last round, if that has exactly these pages.
  let isWhole = true;
  const extents: MemoryExtent[] = [];
  for await (const extent of chain.extents(0n, 1n << 64n)) {
    extents.push(extent);
    addTo(runs, extent);
    if (!extent.isPresent) continue;
    depth = Math.max(depth, extent.depth);
    isWhole &&= extent.depth === 0 && extent.fileOffset === size;
    size += Number(extent.end - extent.start);
  }
  const path = join(target, pagesFileOf(pagesId));
  const source = extents.find(({ isPresent }) => isPresent)?.level.path;
  if (source !== undefined && isWhole) {
    await assertComplete(operation, source, size);
    await cloneFile(source, path);
  } else await writePages(path, extents, size, signal);
  const head = { message: { pages_id: pagesId } };
  const entries = runs.map((run) => ({ message: entryOf(run, chain.pageSize) }));
  await encodeImage(join(target, pagemap), 'PAGEMAP', [head, ...entries]);
  return { size, rounds: depth + 1 };
}

/** Fails as a read of the pages would. */
async function assertComplete(operation: string, path: string, size: number): Promise<void> {
  const stats = await stat(path).catch((cause: Error) => {
    throw damaged(operation, path, `cannot be read: ${cause.message}`, 0, cause);
  });
  if (stats.size < size) throw damaged(operation, path, 'is truncated', stats.size);
}

function addTo(runs: Run[], { start, end, isPresent, run }: MemoryExtent): void {
  const flags = (isPresent ? PRESENT : 0) | (run.lazy ? LAZY : 0);
  const last = runs.at(-1);
  if (last && last.end === start && last.flags === flags) last.end = end;
  else runs.push({ start, end, flags });
}

function entryOf({ start, end, flags }: Run, pageSize: number): PagemapEntry {
  const count = (end - start) / BigInt(pageSize);
  // CRIU before 4.2 reads only the number of 32 bits.
  const compatible = count > BigInt(MAX_UINT32) ? 0 : Number(count);
  return { vaddr: start, compat_nr_pages: compatible, nr_pages: count, flags };
}

async function writePages(
  path: string,
  extents: readonly MemoryExtent[],
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, size));
    let [filled, position] = [0, 0];
    const flush = async () => {
      await writeWithHoles(file, buffer.subarray(0, filled), position);
      position += filled;
      filled = 0;
    };
    for (const extent of extents) {
      if (!extent.isPresent) continue;
      for (let at = extent.start; at < extent.end; ) {
        signal?.throwIfAborted();
        const length = Math.min(buffer.length - filled, Number(extent.end - at));
        await extent.fill(buffer.subarray(filled, filled + length), at);
        filled += length;
        at += BigInt(length);
        if (filled === buffer.length) await flush();
      }
    }
    await flush();
    await file.truncate(size);
  } finally {
    await file.close();
  }
}

async function writeWithHoles(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const isHole = (from: number) => bytes.subarray(from, from + HOLE.length).equals(HOLE);
    if (isHole(at)) {
      at += HOLE.length;
      continue;
    }
    let end = Math.min(at + HOLE.length, bytes.length);
    while (end < bytes.length && !isHole(end)) end = Math.min(end + HOLE.length, bytes.length);
    while (at < end) at += (await file.write(bytes, at, end - at, position + at)).bytesWritten;
  }
}
