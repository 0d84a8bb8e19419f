import { invalid } from '../../errors.ts';
import { MemoryChain, type MemoryExtent } from './memory-chain.ts';
import type { MemoryPiece } from './memory-level.ts';
import { isPageSize, pageSizeOf } from './page-size.ts';
import { ProcessMemory } from './process-memory.ts';

const operation = 'readMemory';

/** Options of {@link readMemory}: either `pid` or `shared`. */
export interface ReadMemoryOptions {
  /** The process, by the pid that it had in its own pid namespace. */
  readonly pid?: number | undefined;
  /** Shared memory, by the number in the name of its pagemap: the `shmid` of its mappings. */
  readonly shared?: number | undefined;
  /** Leave out pages before this address; by default none. */
  readonly start?: bigint | undefined;
  /** Leave out pages from this address on; by default none. */
  readonly end?: bigint | undefined;
  /** Size of a page of the dump's host, in bytes; by default as its processes knew it. */
  readonly pageSize?: number | undefined;
}

/**
 * Reads the memory of a process, or shared memory, from the images of a dump: in the order of addresses, in pieces of
 * at most 4 MiB. The memory of a process includes the shared memory that it has mapped. Pages that the images of
 * earlier rounds have are read there, and compressed pages of CRIU 4.3 are decompressed. Pages that are not in the
 * images are left out: those of mapped files, those that were never written, and those that a lazy dump left in the
 * processes.
 * @param directory the images directory
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with `path` and `offset`: an image is missing, damaged, or lacks pages that a
 * later one needs. ERR_CRIU_INVALID_ARGUMENT
 */
export async function* readMemory(
  directory: string,
  options: ReadMemoryOptions,
): AsyncGenerator<MemoryPiece, void, undefined> {
  const { pid, shared, pageSize, start = 0n, end = 1n << 64n } = options;
  if (typeof directory !== 'string') throw invalid(operation, 'directory', 'a path', directory);
  if ((pid === undefined) === (shared === undefined)) {
    throw invalid(operation, 'pid', 'a process, or shared a number of shared memory', pid);
  }
  if (pageSize !== undefined && !isPageSize(pageSize)) {
    throw invalid(operation, 'pageSize', 'a power of two from 4096 to 65536', pageSize);
  }
  if (pid !== undefined) {
    const memory = await ProcessMemory.open(operation, directory, pid, pageSize);
    yield* piecesOf(memory.extents(start, end), memory);
    return;
  }
  const size = pageSize ?? (await pageSizeOf(operation, directory));
  const chain = new MemoryChain(operation, directory, `pagemap-shmem-${shared}.img`, size);
  const unit = BigInt(size);
  const last = end + ((unit - (end % unit)) % unit);
  yield* piecesOf(chain.extents(start - (start % unit), last), chain);
}

async function* piecesOf(
  extents: AsyncIterable<MemoryExtent>,
  source: { close(): Promise<void> },
): AsyncGenerator<MemoryPiece, void, undefined> {
  try {
    for await (const extent of extents) if (extent.isPresent) yield* extent.read();
  } finally {
    await source.close();
  }
}
