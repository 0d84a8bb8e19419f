import { freemem } from 'node:os';
import { CriuError } from '../errors.ts';
import { type FileChecksum, Hash } from '../images/checksum.ts';
import { INVENTORY, MANIFEST } from '../images/image-names.ts';
import { type CheckpointManifest, MAX_MANIFEST, parseManifest } from '../images/manifest.ts';
import { type ArchiveEntry, contentOf, parsed, readEntries } from './archive-entries.ts';
import { sealOf } from './archive-writer.ts';
import { BadStream, ByteInput } from './byte-input.ts';
import { BLOCK } from './tar.ts';

/** The images of a stream, in memory, and what the dump says of them. */
export interface ReceivedImages {
  readonly files: Map<string, Buffer[]>;
  readonly manifest: CheckpointManifest;
}

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
    await readEntries(input, (entry) => reading.add(entry));
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

  /** Reads the content of an entry. */
  async add(entry: ArchiveEntry): Promise<void> {
    const { name, size, comment } = entry;
    this.#hold(BLOCK + size, name);
    if (name === MANIFEST) {
      if (size > MAX_MANIFEST) throw this.#bad(`${name} is too large`);
      this.#manifest = await this.#input.take(size);
      // An archive that was packed again has none.
      const seal = comment ?? sealOf(this.#manifest);
      if (seal !== sealOf(this.#manifest)) throw this.#bad(`${name} is damaged`);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of contentOf(this.#input, entry)) chunks.push(chunk);
    this.#files.set(name, chunks);
  }

  /** @throws BadStream unless the files are those of the manifest */
  verified(): ReceivedImages {
    if (!this.#manifest)
      throw this.#bad(`it has no ${MANIFEST}: it ends early, or is no checkpoint`);
    const parse = (bytes: Buffer) => parseManifest(String(bytes));
    const manifest = parsed(this.#input, parse, this.#manifest, MANIFEST);
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

  #hold(bytes: number, name: string): void {
    this.#held += bytes;
    if (this.#held <= this.#maxBytes) return;
    throw this.#bad(`with ${name} it takes more than ${this.#maxBytes} bytes of memory (maxBytes)`);
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
