import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { builtins } from '../builtins.ts';
import type { Files } from '../process/files.ts';
import { isCheckpointFile } from './image-names.ts';

/** How the checksums of a checkpoint's files are made. */
export interface ChecksumMethod {
  /**
   * GMAC with AES-128, which processors have instructions for: 128 bits, several GB/s. Whoever can write the
   * files can also write this key, so that checksums find damage, not forgery.
   */
  readonly algorithm: 'AES-128-GMAC';
  /** The key, random for each checkpoint: 32 hexadecimal digits. */
  readonly key: string;
  /** The initialization vector: 24 hexadecimal digits. */
  readonly iv: string;
}

/** The size and checksum of a file. */
export interface FileChecksum {
  /** Size in bytes. */
  readonly bytes: number;
  /** 32 hexadecimal digits. */
  readonly checksum: string;
}

/** A file of at most this size is read at once. */
const SMALL = 256 * 1024;
/** How many small files are read in one turn of the event loop: about a millisecond's worth. */
const BATCH = 8;
/** How much of a file is read, and given to the hash, at once: about 0.1 ms. */
const PIECE = 512 * 1024;

/** A new method, with a key of its own. */
export function newChecksumMethod(): ChecksumMethod {
  const { randomBytes } = builtins.crypto;
  return {
    algorithm: 'AES-128-GMAC',
    key: randomBytes(16).toString('hex'),
    iv: randomBytes(12).toString('hex'),
  };
}

/**
 * The sizes and checksums of the files of a checkpoint, by name.
 * @param known those that are known already
 */
export async function checksumsIn(
  directory: string,
  method: ChecksumMethod,
  files: Files,
  known: ReadonlyMap<string, FileChecksum> = new Map(),
): Promise<Map<string, FileChecksum>> {
  const checksums = new Map(known);
  const names = (await files.readdir(directory)).filter(
    (name) => !known.has(name) && isListed(name),
  );
  for (const [index, name] of names.sort().entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    checksums.set(name, await checksumOf(join(directory, name), method, files));
  }
  return checksums;
}

/** The statistics lie beside the images, unless there is a work directory. */
function isListed(name: string): boolean {
  return isCheckpointFile(name) || name === 'stats-dump';
}

/** The size and checksum of a file. */
export async function checksumOf(
  path: string,
  method: ChecksumMethod,
  files: Files,
): Promise<FileChecksum> {
  const hash = new Hash(method);
  const { size } = await files.stat(path);
  if (size <= SMALL) hash.add(await files.readFile(path));
  else await addLarge(hash, path);
  return hash.finish();
}

/** Reads a piece while the one before is given to the hash. */
async function addLarge(hash: Hash, path: string): Promise<void> {
  await using file = await open(path);
  const buffers = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)];
  let reading = file.read(buffers[0] as Buffer, 0, PIECE, 0);
  for (let at = 0, index = 0; ; index = 1 - index) {
    const { bytesRead, buffer } = await reading;
    if (bytesRead === 0) return;
    at += bytesRead;
    reading = file.read(buffers[1 - index] as Buffer, 0, PIECE, at);
    hash.add(buffer.subarray(0, bytesRead));
  }
}

/** Makes the checksum of a file from its content. */
export class Hash {
  readonly #cipher;
  #bytes = 0;

  constructor({ algorithm: _, key, iv }: ChecksumMethod) {
    const [secret, vector] = [Buffer.from(key, 'hex'), Buffer.from(iv, 'hex')];
    this.#cipher = builtins.crypto.createCipheriv('aes-128-gcm', secret, vector);
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (bytes.length > 0) this.#cipher.setAAD(bytes);
  }

  finish(): FileChecksum {
    this.#cipher.final();
    return { bytes: this.#bytes, checksum: this.#cipher.getAuthTag().toString('hex') };
  }
}
