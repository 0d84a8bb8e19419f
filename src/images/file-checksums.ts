import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Checksums, native } from '../native/index.ts';
import { type Files, localFiles } from '../process/files.ts';
import { type ChecksumMethod, type FileChecksum, Hash } from './checksum.ts';
import { isCheckpointFile } from './image-names.ts';

/** A local file of at most this size is read at once: 0.4 ms. A thread would take longer to begin. */
const SMALL = 2 << 20;
/** How many files, and about how many bytes, are read in one turn of the event loop. */
const BATCH = 16;
const BATCH_BYTES = 4 << 20;
/** How many large files are read at the same time. */
const LANES = 2;
/** How much of a file is read, and given to the hash, at once. */
const PIECE = 512 * 1024;

/** Makes the checksums of files by one method. */
export class FileChecksums {
  readonly method: ChecksumMethod;
  readonly #files: Files;
  readonly #native: Checksums | undefined;

  /** @param files how to make calls on files in their directory */
  constructor(method: ChecksumMethod, files: Files) {
    this.method = method;
    this.#files = files;
    this.#native = nativeChecksums(method);
  }

  /** The size and checksum of a file. */
  async of(path: string): Promise<FileChecksum> {
    return this.#atOnce(path) ?? (await this.#onThread(path));
  }

  /**
   * The sizes and checksums of the files of a checkpoint, by name.
   * @param known those that are known already
   */
  async allIn(
    directory: string,
    known: ReadonlyMap<string, FileChecksum> = new Map(),
  ): Promise<Map<string, FileChecksum>> {
    const names = (await this.#files.readdir(directory)).filter(isListed).sort();
    const checksums = new Map<string, FileChecksum>();
    const large: string[] = [];
    let [count, bytes] = [0, 0];
    for (const name of names) {
      const checksum = known.get(name) ?? this.#atOnce(join(directory, name));
      if (checksum) checksums.set(name, checksum);
      else large.push(name);
      if (known.has(name)) continue;
      count++;
      bytes += checksum?.bytes ?? 0;
      if (count < BATCH && bytes < BATCH_BYTES) continue;
      await nextTurn();
      [count, bytes] = [0, 0];
    }
    const readOn = async () => {
      for (let name = large.shift(); name !== undefined; name = large.shift()) {
        checksums.set(name, await this.#onThread(join(directory, name)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, readOn));
    return new Map(names.map((name) => [name, checksums.get(name) as FileChecksum]));
  }

  /** Undefined if reading the file may take long. */
  #atOnce(path: string): FileChecksum | undefined {
    return this.#files === localFiles ? this.#native?.small(path, SMALL) : undefined;
  }

  async #onThread(path: string): Promise<FileChecksum> {
    return (await this.#native?.file(path)) ?? (await inJavaScript(path, this.method));
  }
}

/** The size and checksum of a file. */
export async function checksumOf(
  path: string,
  method: ChecksumMethod,
  files: Files,
): Promise<FileChecksum> {
  return await new FileChecksums(method, files).of(path);
}

/** The addon's checksums; undefined if this Node has no OpenSSL for them. */
export function nativeChecksums({ key, iv }: ChecksumMethod): Checksums | undefined {
  const { hasOpenSsl, checksums } = native();
  return hasOpenSsl ? checksums(Buffer.from(key, 'hex'), Buffer.from(iv, 'hex')) : undefined;
}

/** The same without the addon. Reads a piece while the one before is given to the hash. */
export async function inJavaScript(path: string, method: ChecksumMethod): Promise<FileChecksum> {
  const hash = new Hash(method);
  await using file = await open(path);
  const buffers = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)];
  let reading = file.read(buffers[0] as Buffer, 0, PIECE, 0);
  for (let at = 0, index = 0; ; index = 1 - index) {
    const { bytesRead, buffer } = await reading;
    if (bytesRead === 0) return hash.finish();
    at += bytesRead;
    reading = file.read(buffers[1 - index] as Buffer, 0, PIECE, at);
    hash.add(buffer.subarray(0, bytesRead));
  }
}

/** The statistics lie beside the images, unless there is a work directory. */
function isListed(name: string): boolean {
  return isCheckpointFile(name) || name === 'stats-dump';
}
