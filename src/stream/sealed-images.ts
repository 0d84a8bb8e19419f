import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CriuError } from '../errors.ts';
import { isCheckpointFile, MANIFEST } from '../images/image-names.ts';
import type { DumpImages } from '../operations/direct-images.ts';
import { syncDirectory } from '../process/durable.ts';
import { type Files, localFiles } from '../process/files.ts';
import type { MemoryDirectory } from '../process/memory-directory.ts';
import { besides } from '../process/replaced-file.ts';
import type { NotificationHandler } from '../protocol/session.ts';
import type { StreamEncryption } from './encryption.ts';
import { writeSealed } from './sealed-file.ts';

/** How the images of a dump become an encrypted file. */
export interface SealedImagesOptions {
  /** The path of the file, in a directory that exists. */
  readonly path: string;
  readonly encryption: StreamEncryption;
  /** The processes survive the dump: they need not be frozen until the file is written. */
  readonly survives: boolean;
  /** Names of files that belong to the checkpoint besides CRIU's. */
  readonly others: readonly string[];
  /** Completes the images in their directory, before they are encrypted. */
  readonly complete: (directory: string) => Promise<void>;
}

/**
 * The images of a dump that are written to a disk only encrypted. CRIU writes them into a directory in memory. The
 * encrypted file is on the disk before CRIU ends the processes, and has its name once it has ended them.
 */
export class SealedImages implements DumpImages {
  failure: CriuError | undefined;
  readonly leftovers = [];
  readonly files: Files = localFiles;
  readonly #memory: MemoryDirectory;
  readonly #options: SealedImagesOptions;
  readonly #temporary: string;
  #sealing: Promise<void> | undefined;
  #finishing: Promise<void> | undefined;
  #isSealed = false;

  /** @param memory where CRIU writes the images; the caller closes it */
  constructor(memory: MemoryDirectory, options: SealedImagesOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#temporary = besides(options.path);
  }

  get directory(): string {
    return this.#memory.path;
  }

  get fd(): number {
    return this.#memory.fd;
  }

  get isPlaced(): boolean {
    return this.#isSealed;
  }

  readonly onNotification: NotificationHandler = ({ script }) =>
    script === 'post-dump' && !this.#options.survives
      ? this.#seal().then(() => undefined)
      : undefined;

  async finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    await this.#finishing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sealing?.catch(() => {});
    await this.#finishing?.catch(() => {});
    await rm(this.#temporary, { force: true });
  }

  async #finish(): Promise<void> {
    const { path } = this.#options;
    await this.#seal();
    try {
      await rename(this.#temporary, path);
      await syncDirectory(dirname(path));
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  async #seal(): Promise<void> {
    this.#sealing ??= this.#write();
    try {
      await this.#sealing;
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  async #write(): Promise<void> {
    const { encryption, others, complete } = this.#options;
    await complete(this.directory);
    const found = await readdir(this.directory);
    const isPart = (name: string) =>
      isCheckpointFile(name) || name === MANIFEST || others.includes(name);
    await using file = await open(this.#temporary, 'wx', 0o600);
    await writeSealed(file, this.directory, found.filter(isPart), encryption);
    this.#isSealed = true;
  }

  #fail(cause: unknown): CriuError {
    const message = `the images cannot be encrypted into ${this.#options.path}: ${(cause as Error).message}`;
    this.failure = new CriuError('ERR_CRIU_SYSTEM', message, { cause });
    return this.failure;
  }
}
