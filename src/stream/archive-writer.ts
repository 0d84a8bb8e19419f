import { crc32 } from 'node:zlib';
import { type ChecksumMethod, type FileChecksum, Hash } from '../images/checksum.ts';
import { MANIFEST } from '../images/image-names.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import { commentHeader, endOfArchive, fileHeader, padding } from './tar.ts';

/** Headers and small images are passed on together, in chunks of at least this size. */
const MIN_CHUNK = 1 << 16;
/** Zeros for what a file lacks of the size in its header, written again and again. */
const ZEROS = Buffer.alloc(1 << 18);

/** Writes images as a tar archive, one file after the other, and the manifest at its end. */
export class ArchiveWriter {
  readonly #queue: ChunkQueue;
  readonly #modified = Date.now();
  readonly #checksum: ChecksumMethod;
  /** The files that are written, with their checksums. */
  readonly files = new Map<string, FileChecksum>();
  readonly #pending: Buffer[] = [];
  #pendingSize = 0;
  /** How many bytes the archive has. */
  size = 0;

  constructor(queue: ChunkQueue, checksum: ChecksumMethod) {
    this.#queue = queue;
    this.#checksum = checksum;
  }

  /**
   * Writes a file.
   * @param size how long the file is in the archive; zeros follow if the chunks are fewer bytes
   * @throws RangeError if they are more
   */
  async write(
    name: string,
    size: number,
    chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  ): Promise<void> {
    let left = size;
    const hash = new Hash(this.#checksum);
    await this.#put(fileHeader(name, size, this.#modified));
    const append = async (chunk: Buffer) => {
      hash.add(chunk);
      left -= chunk.length;
      await this.#put(chunk);
    };
    for await (const chunk of chunks) {
      if (chunk.length > left) throw new RangeError(`${name} has more than ${size} bytes`);
      await append(chunk);
    }
    while (left > 0) await append(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
    await this.#put(ZEROS.subarray(0, padding(size)));
    this.files.set(name, hash.finish());
  }

  /** Writes the manifest, with a checksum of its own in the header, and the end of the archive. */
  async finish(manifest: string): Promise<void> {
    const text = Buffer.from(manifest);
    await this.#put(commentHeader(MANIFEST, sealOf(text), this.#modified));
    await this.#put(fileHeader(MANIFEST, text.length, this.#modified));
    await this.#put(text);
    await this.#put(Buffer.concat([ZEROS.subarray(0, padding(text.length)), endOfArchive()]));
    if (this.#pendingSize > 0) await this.#flush();
    this.#queue.close();
  }

  /** Passes on small pieces together, large ones as they are. */
  async #put(chunk: Buffer): Promise<void> {
    this.size += chunk.length;
    this.#pending.push(chunk);
    this.#pendingSize += chunk.length;
    if (this.#pendingSize >= MIN_CHUNK) await this.#flush();
  }

  async #flush(): Promise<void> {
    const [only = ZEROS, ...others] = this.#pending.splice(0);
    const large = others.at(-1) ?? only;
    const size = this.#pendingSize;
    this.#pendingSize = 0;
    if (others.length === 0) {
      await this.#queue.write(only);
    } else if (large.length >= MIN_CHUNK) {
      await this.#queue.write(Buffer.concat([only, ...others.slice(0, -1)]));
      await this.#queue.write(large);
    } else {
      await this.#queue.write(Buffer.concat([only, ...others], size));
    }
  }
}

/** The comment in the header of a manifest, which finds what is damaged in it. */
export function sealOf(manifest: Buffer): string {
  return `crc32 ${crc32(manifest).toString(16).padStart(8, '0')}`;
}
