import { freemem } from 'node:os';
import { CriuError } from '../errors.ts';
import { type FileChecksum, Hash } from '../images/checksum.ts';
import { INVENTORY, MANIFEST } from '../images/image-names.ts';
import { type CheckpointManifest, MAX_MANIFEST, parseManifest } from '../images/manifest.ts';
import { sealOf } from './archive-writer.ts';
import { BadStream, ByteInput } from './byte-input.ts';
import { BLOCK, padding, parseHeader, parsePax, type TarHeader } from './tar.ts';

/** The images of a stream, in memory, and what the dump says of them. */
export interface ReceivedImages {
  readonly files: Map<string, Buffer[]>;
  readonly manifest: CheckpointManifest;
}

/** The largest set of pax records. */
const MAX_PAX = 1 << 16;
/** Larger than any name that CRIU gives to an image. */
const NAME = /^(?:\.\/)?([\w.-]{1,100})$/;

/**
 * Reads an archive to its end into memory, and compares it with the manifest in it.
 * @param maxBytes the most memory that it may take
 * @throws CriuError ERR_CRIU_BAD_IMAGE if it is truncated, damaged or no archive, or takes more memory
 */
export async function readArchive(
  operation: string,
  chunks: AsyncIterable<Buffer>,
  maxBytes = freemem(),
): Promise<ReceivedImages> {
  const input = new ByteInput(chunks);
  try {
    const reading = new Reading(input, maxBytes);
    await reading.all();
    return reading.verified();
  } catch (error) {
    if (!(error instanceof BadStream)) throw error;
    const message = `${operation}: the stream cannot be restored: ${error.message}`;
    const { offset } = error;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, offset });
  } finally {
    await input.close();
  }
}

class Reading {
  readonly #input: ByteInput;
  readonly #maxBytes: number;
  readonly #files = new Map<string, Buffer[]>();
  #manifest: Buffer | undefined;
  #held = 0;

  constructor(input: ByteInput, maxBytes: number) {
    this.#input = input;
    this.#maxBytes = maxBytes;
  }

  async all(): Promise<void> {
    let records = new Map<string, string>();
    for (;;) {
      const header = this.#parse(parseHeader, await this.#input.take(BLOCK));
      if (header === undefined) break;
      const { type, name, size } = header;
      if (type === 'pax') {
        if (size > MAX_PAX) throw this.#bad('a pax header is too large');
        records = this.#parse(parsePax, await this.#content(size));
      } else {
        const given = records.get('size');
        await this.#entry(
          { type, name, size: given === undefined ? size : Number(given) },
          records,
        );
        records = new Map();
      }
    }
    // The second empty block, and what tar adds to it.
    await this.#zeros(BLOCK);
    for (let left = await this.#input.some(); left; left = await this.#input.some()) {
      if (!isEmpty(left)) throw this.#bad('there is something behind its end');
    }
  }

  /** @throws BadStream unless the files are those of the manifest */
  verified(): ReceivedImages {
    if (!this.#manifest)
      throw this.#bad(`it has no ${MANIFEST}: it ends early, or is no checkpoint`);
    const manifest = this.#parse((bytes) => parseManifest(String(bytes)), this.#manifest, MANIFEST);
    for (const [name, listed] of Object.entries(manifest.files)) {
      const chunks = this.#files.get(name);
      if (!chunks) throw this.#bad(`${name} is missing`);
      const { bytes, checksum } = checksumOf(chunks, manifest);
      if (bytes !== listed.bytes) throw this.#bad(`${name} has not the size in ${MANIFEST}`);
      if (checksum !== listed.checksum) throw this.#bad(`${name} is damaged`);
    }
    if (manifest.files[INVENTORY] === undefined) throw this.#bad(`it has no ${INVENTORY}`);
    if (manifest.kind !== 'dump' || manifest.parent !== undefined) {
      throw this.#bad('it is a pre-dump, or needs parent images');
    }
    // What is not listed is not CRIU's: a log, for example.
    for (const name of this.#files.keys()) {
      if (!Object.hasOwn(manifest.files, name)) this.#files.delete(name);
    }
    return { files: this.#files, manifest };
  }

  async #entry(
    { type, name: path, size }: TarHeader,
    records: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (type === 'directory' && /^\.\/?$/.test(path)) return;
    const name = NAME.exec(path)?.[1];
    if (type !== 'file' || name === undefined || name === '.' || name === '..') {
      throw this.#bad('it has an entry that is no image');
    }
    if (this.#files.has(name)) throw this.#bad(`${name} is in it twice`);
    if (!Number.isSafeInteger(size) || size < 0) throw this.#bad(`${name} has no valid size`);
    this.#hold(BLOCK + size, name);
    if (name === MANIFEST) {
      if (size > MAX_MANIFEST) throw this.#bad(`${name} is too large`);
      this.#manifest = await this.#content(size);
      // An archive that was packed again has none.
      const seal = records.get('comment') ?? sealOf(this.#manifest);
      if (seal !== sealOf(this.#manifest)) throw this.#bad(`${name} is damaged`);
      return;
    }
    const chunks: Buffer[] = [];
    for (let left = size; left > 0; ) {
      const chunk = await this.#input.upTo(left);
      left -= chunk.length;
      chunks.push(chunk);
    }
    await this.#zeros(padding(size));
    this.#files.set(name, chunks);
  }

  #hold(bytes: number, name: string): void {
    this.#held += bytes;
    if (this.#held <= this.#maxBytes) return;
    throw this.#bad(`with ${name} it takes more than ${this.#maxBytes} bytes of memory (maxBytes)`);
  }

  async #content(size: number): Promise<Buffer> {
    const content = await this.#input.take(size);
    await this.#zeros(padding(size));
    return content;
  }

  async #zeros(size: number): Promise<void> {
    if (!isEmpty(await this.#input.take(size)))
      throw this.#bad('it has bytes where only zeros can be');
  }

  #parse<T>(parse: (bytes: Buffer) => T, bytes: Buffer, name?: string): T {
    try {
      return parse(bytes);
    } catch (error) {
      const what = (error as Error).message;
      throw this.#bad(name === undefined ? what : `${name} ${what}`);
    }
  }

  #bad(what: string): BadStream {
    return new BadStream(what, this.#input.offset);
  }
}

function checksumOf(chunks: readonly Buffer[], { checksum }: CheckpointManifest): FileChecksum {
  const hash = new Hash(checksum);
  for (const chunk of chunks) hash.add(chunk);
  return hash.finish();
}

function isEmpty(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
