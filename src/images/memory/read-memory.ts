import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../errors.ts';
import { decodeImage } from '../decode-image.ts';
import { pagemapFileOf } from '../pagemap.ts';
import { bad, MemoryLevel, type MemoryPiece } from './memory-level.ts';

/** The number of the page size in a process's auxiliary vector: AT_PAGESZ. */
const AUX_PAGE_SIZE = 6n;
const DEFAULT_PAGE_SIZE = 4096;

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
 * at most 4 MiB. Pages that the images of earlier rounds have are read there, and compressed pages of CRIU 4.3 are
 * decompressed. Pages that are not in the images are left out: those of mapped files, those that were never written,
 * and those that a lazy dump left in the processes.
 * @param directory the images directory
 * @throws CriuError ERR_CRIU_BAD_IMAGE, with `path` and `offset`: an image is missing, damaged, or lacks pages that a
 * later one needs. ERR_CRIU_INVALID_ARGUMENT
 */
export async function* readMemory(
  directory: string,
  options: ReadMemoryOptions,
): AsyncGenerator<MemoryPiece, void, undefined> {
  const { pid, shared, start = 0n, end = 1n << 64n } = options;
  if (typeof directory !== 'string') throw invalid('readMemory', 'directory', 'a path', directory);
  if ((pid === undefined) === (shared === undefined)) {
    throw invalid('readMemory', 'pid', 'a process, or shared a number of shared memory', pid);
  }
  const pagemap = pid === undefined ? `pagemap-shmem-${shared}.img` : pagemapFileOf(pid);
  const { pageSize = await pageSizeOf(directory) } = options;
  if (!isPageSize(pageSize)) {
    throw invalid('readMemory', 'pageSize', 'a power of two from 4096 to 65536', pageSize);
  }
  const chain = new Chain(directory, pagemap, pageSize);
  try {
    const unit = BigInt(pageSize);
    yield* chain.read(0, start - (start % unit), end + ((unit - (end % unit)) % unit));
  } finally {
    await chain.close();
  }
}

/** The images of one memory, and those of the rounds before. */
class Chain {
  readonly #directory: string;
  readonly #pagemap: string;
  readonly #pageSize: number;
  readonly #levels: MemoryLevel[] = [];
  readonly #paths: string[] = [];

  constructor(directory: string, pagemap: string, pageSize: number) {
    this.#directory = directory;
    this.#pagemap = pagemap;
    this.#pageSize = pageSize;
  }

  async close(): Promise<void> {
    for (const level of this.#levels) await level.close();
  }

  /**
   * @param depth how many rounds earlier
   * @param needed whether a later round needs all of these pages
   */
  async *read(
    depth: number,
    start: bigint,
    end: bigint,
    needed = false,
  ): AsyncIterable<MemoryPiece> {
    const level = this.#levels[depth] ?? (await this.#open(depth));
    let at = start;
    for (const run of level.within(start, end)) {
      const from = run.start > start ? run.start : start;
      const to = run.end < end ? run.end : end;
      if (needed && from > at) break;
      at = to;
      if (run.inParent) yield* this.read(depth + 1, from, to, true);
      else if (run.offset !== undefined) yield* level.read(run, from, to);
    }
    if (!needed || at >= end) return;
    const what = `lacks the page at 0x${at.toString(16)} that a later round needs`;
    throw bad(join(this.#paths[depth] as string, this.#pagemap), what);
  }

  async #open(depth: number): Promise<MemoryLevel> {
    const path = depth === 0 ? this.#directory : join(this.#paths[depth - 1] as string, 'parent');
    // The real path, so that the name of a level does not grow with its depth.
    const directory = await realpath(path).catch((cause: Error) => {
      throw bad(path, `cannot be read: ${cause.message}`, undefined, cause);
    });
    if (this.#paths.includes(directory)) throw bad(path, 'leads in a circle');
    const level = await MemoryLevel.open(directory, this.#pagemap, this.#pageSize);
    this.#paths[depth] = directory;
    this.#levels[depth] = level;
    return level;
  }
}

function isPageSize(size: number): boolean {
  return [4096, 8192, 16384, 32768, 65536].includes(size);
}

/** The size of a page on the host of the dump, which the kernel told each process. */
export async function pageSizeOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch((cause: Error) => {
    throw bad(directory, `cannot be read: ${cause.message}`, undefined, cause);
  });
  const mm = names.find((name) => /^mm-\d+\.img$/.test(name));
  // A pre-dump has no such image.
  if (mm === undefined) return DEFAULT_PAGE_SIZE;
  for await (const { message } of decodeImage(join(directory, mm), { kind: 'MM' })) {
    const { mm_saved_auxv: auxv = [] } = message;
    const index = auxv.findIndex((key, at) => at % 2 === 0 && key === AUX_PAGE_SIZE);
    const size = Number(auxv[index + 1] ?? 0n);
    if (index >= 0 && isPageSize(size)) return size;
  }
  return DEFAULT_PAGE_SIZE;
}
