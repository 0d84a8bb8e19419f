import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../../errors.ts';
import type { PagemapEntry } from '../../generated/images/types.ts';
import { decodeImage } from '../decode-image.ts';
import { pagesFileOf } from '../pagemap.ts';
import { decompressBlock } from './lz4.ts';
import { type Blocks, type PageRun, pageRuns } from './page-runs.ts';

/** How many bytes are read at once, unless a block is larger. */
const PIECE = 1024 * 1024;
const operation = 'readMemory';

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
  readonly #path: string;
  #file: FileHandle | undefined;

  private constructor(path: string, runs: readonly PageRun[]) {
    this.#path = path;
    this.runs = runs;
  }

  /** @throws CriuError ERR_CRIU_BAD_IMAGE */
  static async open(directory: string, pagemap: string, pageSize: number): Promise<MemoryLevel> {
    const path = join(directory, pagemap);
    let pagesId: number | undefined;
    const entries: PagemapEntry[] = [];
    for await (const { message } of decodeImage(path, { kind: 'PAGEMAP' })) {
      if ('pages_id' in message) pagesId = message.pages_id;
      else entries.push(message);
    }
    if (pagesId === undefined) throw bad(path, 'has no entries', 0);
    try {
      return new MemoryLevel(join(directory, pagesFileOf(pagesId)), pageRuns(entries, pageSize));
    } catch (cause) {
      throw bad(path, `is damaged: ${(cause as Error).message}`, undefined, cause);
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
      throw bad(this.#path, `is damaged: ${(cause as Error).message}`, offset, cause);
    }
  }

  async #bytes(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    try {
      this.#file ??= await open(this.#path);
      for (let filled = 0; filled < length; ) {
        const { bytesRead } = await this.#file.read(
          bytes,
          filled,
          length - filled,
          offset + filled,
        );
        if (bytesRead === 0) throw bad(this.#path, 'is truncated', offset + filled);
        filled += bytesRead;
      }
    } catch (error) {
      if (error instanceof CriuError) throw error;
      throw bad(this.#path, `cannot be read: ${(error as Error).message}`, offset, error);
    }
    return bytes;
  }
}

/** The error of a file that is damaged. */
export function bad(path: string, why: string, offset?: number, cause?: unknown): CriuError {
  const place = offset === undefined ? '' : `, at byte ${offset}`;
  const details = { operation, path, offset, cause };
  return new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${path} ${why}${place}`, details);
}
