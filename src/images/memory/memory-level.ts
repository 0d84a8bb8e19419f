import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { CriuError } from '../../errors.ts';
import type { PagemapEntry } from '../../generated/images/types.ts';
import { decodeImage } from '../decode-image.ts';
import { pagesFileOf } from '../pagemap.ts';
import { damaged } from './damage.ts';
import { decompressBlock } from './lz4.ts';
import { type Blocks, type PageRun, pageRuns } from './page-runs.ts';

/** How many bytes are read at once, unless a block is larger. */
const PIECE = 1024 * 1024;
/** Fewer bytes than {@link SMALL} are read together with those that follow. */
const SMALL = 32 * 1024;
const READ_AHEAD = 256 * 1024;

/** Whole pages. */
export interface MemoryPiece {
  /** The address of the first byte; in shared memory, its offset. */
  address: bigint;
  /** The bytes: a multiple of the size of a page. */
  bytes: Buffer;
}

/** The pages that one directory of a chain has of a process or of shared memory. */
export class MemoryLevel {
  readonly runs: readonly PageRun[];
  /** The path of the pages file. */
  readonly path: string;
  readonly #operation: string;
  #file: FileHandle | undefined;
  /** What was read of the file beyond a small part, and where it begins. */
  #ahead = { offset: 0, bytes: Buffer.alloc(0) };

  private constructor(operation: string, path: string, runs: readonly PageRun[]) {
    this.#operation = operation;
    this.path = path;
    this.runs = runs;
  }

  /** @throws CriuError ERR_CRIU_BAD_IMAGE */
  static async open(
    operation: string,
    directory: string,
    pagemap: string,
    pageSize: number,
  ): Promise<MemoryLevel> {
    const path = join(directory, pagemap);
    let pagesId: number | undefined;
    const entries: PagemapEntry[] = [];
    for await (const { message } of decodeImage(path, { kind: 'PAGEMAP' })) {
      if ('pages_id' in message) pagesId = message.pages_id;
      else entries.push(message);
    }
    if (pagesId === undefined) throw damaged(operation, path, 'has no entries', 0);
    try {
      const runs = pageRuns(entries, pageSize);
      return new MemoryLevel(operation, join(directory, pagesFileOf(pagesId)), runs);
    } catch (cause) {
      const why = `is damaged: ${(cause as Error).message}`;
      throw damaged(operation, path, why, undefined, cause);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** The runs with pages between two addresses. */
  *within(start: bigint, end: bigint): Iterable<PageRun> {
    let [low, high] = [0, this.runs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.runs[middle] as PageRun).end <= start) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < this.runs.length; index++) {
      const run = this.runs[index] as PageRun;
      if (run.start >= end) return;
      yield run;
    }
  }

  /** Reads pages of a run that is present. */
  async *read(run: PageRun, start: bigint, end: bigint): AsyncIterable<MemoryPiece> {
    const [from, to] = [Number(start - run.start), Number(end - run.start)];
    const pieces = run.blocks
      ? this.#decompressed(run.offset as number, run.blocks, Number(run.end - run.start), from, to)
      : this.#plain(run.offset as number, from, to);
    let address = start;
    for await (const bytes of pieces) {
      yield { address, bytes };
      address += BigInt(bytes.length);
    }
  }

  /** Fills a buffer with bytes of a run that is present, from an address on. */
  async fill(target: Buffer, run: PageRun, start: bigint): Promise<void> {
    const from = Number(start - run.start);
    if (!run.blocks) {
      await this.#fill(target, (run.offset as number) + from);
      return;
    }
    let filled = 0;
    for await (const { bytes } of this.read(run, start, start + BigInt(target.length))) {
      target.set(bytes, filled);
      filled += bytes.length;
    }
  }

  async *#plain(offset: number, from: number, to: number): AsyncIterable<Buffer> {
    for (let at = from; at < to; at += PIECE) {
      yield await this.#bytes(offset + at, Math.min(PIECE, to - at));
    }
  }

  async *#decompressed(
    offset: number,
    { offsets, plainSize }: Blocks,
    size: number,
    from: number,
    to: number,
  ): AsyncIterable<Buffer> {
    const last = Math.ceil(to / plainSize);
    const atOnce = Math.max(1, Math.floor(PIECE / plainSize));
    for (let first = Math.floor(from / plainSize); first < last; first += atOnce) {
      const next = Math.min(first + atOnce, last);
      const start = offset + (offsets[first] as number);
      const stored = await this.#bytes(start, offset + (offsets[next] as number) - start);
      const blocks: Buffer[] = [];
      for (let index = first; index < next; index++) {
        const begin = offset + (offsets[index] as number) - start;
        const block = stored.subarray(begin, offset + (offsets[index + 1] as number) - start);
        const plain = Math.min(plainSize, size - index * plainSize);
        blocks.push(this.#block(block, plain, start + begin));
      }
      const bytes = blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks);
      const base = first * plainSize;
      yield bytes.subarray(Math.max(0, from - base), to - base);
    }
  }

  #block(block: Buffer, size: number, offset: number): Buffer {
    if (block.length === 0) return Buffer.alloc(size);
    if (block.length === size) return block;
    try {
      return decompressBlock(block, size);
    } catch (cause) {
      throw this.#bad(`is damaged: ${(cause as Error).message}`, offset, cause);
    }
  }

  async #bytes(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    await this.#fill(bytes, offset);
    return bytes;
  }

  async #fill(target: Buffer, offset: number): Promise<void> {
    const { length } = target;
    if (length > SMALL) {
      const filled = await this.#readInto(target, offset);
      if (filled < length) throw this.#bad('is truncated', offset + filled);
      return;
    }
    let at = offset - this.#ahead.offset;
    if (at < 0 || at + length > this.#ahead.bytes.length) {
      const bytes = Buffer.allocUnsafe(READ_AHEAD);
      const filled = await this.#readInto(bytes, offset);
      if (filled < length) throw this.#bad('is truncated', offset + filled);
      this.#ahead = { offset, bytes: bytes.subarray(0, filled) };
      at = 0;
    }
    this.#ahead.bytes.copy(target, 0, at, at + length);
  }

  /** Reads until the buffer is full or the file ends, and returns how much that was. */
  async #readInto(target: Buffer, offset: number): Promise<number> {
    try {
      this.#file ??= await open(this.path);
      let filled = 0;
      while (filled < target.length) {
        const left = target.length - filled;
        const { bytesRead } = await this.#file.read(target, filled, left, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    } catch (error) {
      throw this.#bad(`cannot be read: ${(error as Error).message}`, offset, error);
    }
  }

  #bad(why: string, offset: number, cause?: unknown): CriuError {
    return damaged(this.#operation, this.path, why, offset, cause);
  }
}
