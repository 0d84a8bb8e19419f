import { BadStream, ByteInput } from '../../stream/byte-input.ts';
import { BLOCK, padding } from '../../stream/tar.ts';
import { type PaxRecords, parseEntryHeader, parsePaxRecords, type TarEntry } from './tar-entry.ts';

/** What a tar archive may contain at most. */
export interface TarLimits {
  /** Bytes of all files. */
  readonly maxBytes: number;
  /** Entries. */
  readonly maxEntries: number;
}

/** Is given each entry of an archive, and the content of a file; what it does not read is skipped. */
export type TarVisitor = (entry: TarEntry, content: AsyncIterable<Buffer>) => Promise<void>;

/** The longest set of pax records: it has paths of at most 4 KiB, and extended attributes. */
const MAX_EXTENSION = 1 << 20;

/**
 * Reads a tar archive to its end, one entry after the other.
 * @throws BadStream if it is truncated, damaged, or exceeds the limits
 */
export async function readTar(
  chunks: AsyncIterable<Buffer>,
  limits: TarLimits,
  visit: TarVisitor,
): Promise<void> {
  const input = new ByteInput(chunks);
  try {
    await new TarReading(input, limits).all(visit);
  } finally {
    await input.close();
  }
}

class TarReading {
  readonly #input: ByteInput;
  readonly #limits: TarLimits;
  #records = new Map<string, Buffer>();
  #global: PaxRecords = new Map();
  #entries = 0;
  #bytes = 0;

  constructor(input: ByteInput, limits: TarLimits) {
    this.#input = input;
    this.#limits = limits;
  }

  async all(visit: TarVisitor): Promise<void> {
    for (;;) {
      const records = new Map([...this.#global, ...this.#records]);
      const block = await this.#input.take(BLOCK);
      const isFirst = this.#input.offset === BLOCK;
      const header = this.#parsed(
        () => parseEntryHeader(block, records),
        isFirst ? 'it is no tar archive' : undefined,
      );
      if (header === undefined) break;
      if ('path' in header) {
        this.#records = new Map();
        await this.#visit(header, visit);
      } else {
        await this.#extend(header.type, header.size);
      }
    }
    if (this.#records.size > 0) throw this.#bad('it ends early');
    await this.#rest();
  }

  async #visit(entry: TarEntry, visit: TarVisitor): Promise<void> {
    const { maxBytes, maxEntries } = this.#limits;
    this.#entries += 1;
    this.#bytes += entry.size;
    if (this.#entries > maxEntries) {
      throw this.#bad(`it has more than ${maxEntries} entries (maxEntries)`);
    }
    if (this.#bytes > maxBytes) throw this.#bad(`it has more than ${maxBytes} bytes (maxBytes)`);
    const content = new TarContent(this.#input, entry.size);
    await visit(entry, content);
    await content.skip();
    await this.#input.take(padding(entry.size));
  }

  async #extend(type: string, size: number): Promise<void> {
    if (size > MAX_EXTENSION) throw this.#bad('a pax header is too large');
    const bytes = await this.#input.take(size);
    await this.#input.take(padding(size));
    if (type === 'pax' || type === 'global') {
      const records = this.#parsed(() => parsePaxRecords(bytes));
      if (type === 'global') this.#global = new Map([...this.#global, ...records]);
      else this.#records = records;
    } else {
      const end = bytes.indexOf(0);
      const name = bytes.subarray(0, end < 0 ? size : end);
      this.#records.set(type === 'long-path' ? 'path' : 'linkpath', name);
    }
  }

  /** After the first empty block come only others. */
  async #rest(): Promise<void> {
    for (let left = await this.#input.some(); left; left = await this.#input.some()) {
      if (left.some((byte) => byte !== 0)) throw this.#bad('there is something behind its end');
    }
  }

  #parsed<T>(parse: () => T, otherwise?: string): T {
    try {
      return parse();
    } catch (error) {
      throw this.#bad(otherwise ?? (error as Error).message);
    }
  }

  #bad(what: string): BadStream {
    return new BadStream(what, this.#input.offset);
  }
}

/** The content of one file, which is read once. */
class TarContent implements AsyncIterable<Buffer> {
  readonly #input: ByteInput;
  #left: number;

  constructor(input: ByteInput, size: number) {
    this.#input = input;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    while (this.#left > 0) {
      const chunk = await this.#input.upTo(this.#left);
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  async skip(): Promise<void> {
    for await (const _ of this);
  }
}
