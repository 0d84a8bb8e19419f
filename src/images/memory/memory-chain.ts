import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { damaged } from './damage.ts';
import { MemoryLevel, type MemoryPiece } from './memory-level.ts';
import type { PageRun } from './page-runs.ts';

/** Consecutive pages that an image has, or that a lazy dump left in the processes. */
export class MemoryExtent {
  /** The address of the first page. */
  readonly start: bigint;
  /** The address after the last page. */
  readonly end: bigint;
  /** How many rounds before the last one the image is. */
  readonly depth: number;
  /** The image that has the pages. */
  readonly level: MemoryLevel;
  readonly run: PageRun;
  /** What must be subtracted from an address to get that in the image. */
  readonly #shift: bigint;

  constructor(
    level: MemoryLevel,
    run: PageRun,
    place: { readonly start: bigint; readonly end: bigint; readonly depth: number },
    shift = 0n,
  ) {
    this.level = level;
    this.run = run;
    this.start = place.start;
    this.end = place.end;
    this.depth = place.depth;
    this.#shift = shift;
  }

  /** True if an image has the pages, which can then be read. */
  get isPresent(): boolean {
    return this.run.offset !== undefined;
  }

  /** Where the bytes of the first page are in the pages file; undefined for compressed pages. */
  get fileOffset(): number | undefined {
    const { offset, blocks, start } = this.run;
    if (offset === undefined || blocks) return undefined;
    return offset + Number(this.start - this.#shift - start);
  }

  /** The same pages at another address. */
  movedBy(shift: bigint): MemoryExtent {
    const { start, end, depth } = this;
    const place = { start: start + shift, end: end + shift, depth };
    return new MemoryExtent(this.level, this.run, place, this.#shift + shift);
  }

  /** Reads the pages in pieces. */
  async *read(): AsyncIterable<MemoryPiece> {
    const shift = this.#shift;
    const pieces = this.level.read(this.run, this.start - shift, this.end - shift);
    for await (const { address, bytes } of pieces) yield { address: address + shift, bytes };
  }

  /** Fills a buffer from an address on, all of whose bytes are in the extent. */
  async fill(target: Buffer, address: bigint): Promise<void> {
    await this.level.fill(target, this.run, address - this.#shift);
  }
}

/** The images of one memory, and those of the rounds before. */
export class MemoryChain {
  readonly #operation: string;
  readonly #directory: string;
  readonly #pagemap: string;
  readonly pageSize: number;
  readonly #levels: MemoryLevel[] = [];
  readonly #paths: string[] = [];

  constructor(operation: string, directory: string, pagemap: string, pageSize: number) {
    this.#operation = operation;
    this.#directory = directory;
    this.#pagemap = pagemap;
    this.pageSize = pageSize;
  }

  async close(): Promise<void> {
    for (const level of this.#levels) await level.close();
  }

  /**
   * The pages between two addresses, which are multiples of the page size, in the order of addresses.
   * @throws CriuError ERR_CRIU_BAD_IMAGE
   */
  async *extents(start: bigint, end: bigint): AsyncIterable<MemoryExtent> {
    yield* this.#extents(0, start, end, false);
  }

  /**
   * @param depth how many rounds earlier
   * @param needed whether a later round needs all of these pages
   */
  async *#extents(
    depth: number,
    start: bigint,
    end: bigint,
    needed: boolean,
  ): AsyncIterable<MemoryExtent> {
    const level = this.#levels[depth] ?? (await this.#open(depth));
    let at = start;
    for (const run of level.within(start, end)) {
      const from = run.start > start ? run.start : start;
      const to = run.end < end ? run.end : end;
      if (needed && from > at) break;
      at = to;
      if (run.inParent) yield* this.#extents(depth + 1, from, to, true);
      else if (run.offset !== undefined || run.lazy) {
        yield new MemoryExtent(level, run, { start: from, end: to, depth });
      }
    }
    if (!needed || at >= end) return;
    const what = `lacks the page at 0x${at.toString(16)} that a later round needs`;
    throw damaged(this.#operation, join(this.#paths[depth] as string, this.#pagemap), what);
  }

  async #open(depth: number): Promise<MemoryLevel> {
    const operation = this.#operation;
    const path = depth === 0 ? this.#directory : join(this.#paths[depth - 1] as string, 'parent');
    // The real path, so that the name of a level does not grow with its depth.
    const directory = await realpath(path).catch((cause: Error) => {
      throw damaged(operation, path, `cannot be read: ${cause.message}`, undefined, cause);
    });
    if (this.#paths.includes(directory)) throw damaged(operation, path, 'leads in a circle');
    const level = await MemoryLevel.open(operation, directory, this.#pagemap, this.pageSize);
    this.#paths[depth] = directory;
    this.#levels[depth] = level;
    return level;
  }
}
