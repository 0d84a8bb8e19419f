import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { asCriuError, type CriuError } from '../../errors.ts';
import { INVENTORY } from '../../images/image-names.ts';
import type { DumpImages } from '../../operations/direct-images.ts';
import type { Files } from '../../process/files.ts';
import type { NotificationHandler } from '../../protocol/session.ts';
import type { Completion } from './completion.ts';
import { completeRound } from './round-files.ts';
import type { FrozenTree, ProcessPages, TreeCopy } from './tree-copy.ts';

/** What completes the images of a lazy dump. */
export interface ComparedParts {
  readonly pid: number;
  readonly tree: TreeCopy;
  /** The images that CRIU writes, without most of the memory. */
  readonly images: DumpImages;
  /** Completes them. */
  readonly complete: Completion;
  /** The path of the last round, relative to the directory of the images. */
  readonly parentImage: string | undefined;
  /** True if the processes run on after the dump: they are resumed before memory is written. */
  readonly survives: boolean;
  /** True if the images are written to the disk. */
  readonly isDurable: boolean;
  readonly throwIfCancelled: () => void;
}

/**
 * Images of a dump that leaves memory in the frozen processes. This compares the memory with the copy of the
 * last round, and adds what has changed, before CRIU ends the processes or after it has resumed them.
 */
export class ComparedImages implements DumpImages {
  failure: CriuError | undefined;
  readonly isPlaced = false;
  readonly leftovers = [];
  /** What was found of each process. */
  processes: readonly ProcessPages[] = [];
  /** Time to compare the memory, as far as CRIU waits for it, and to write it, in milliseconds. */
  compareMs = 0;
  writeMs = 0;
  readonly #parts: ComparedParts;
  #frozen: Promise<FrozenTree> | undefined;
  #inventory: Uint8Array | undefined;
  #finishing: Promise<void> | undefined;

  constructor(parts: ComparedParts) {
    this.#parts = parts;
  }

  get directory(): string {
    return this.#parts.images.directory;
  }

  get fd(): number {
    return this.#parts.images.fd;
  }

  readonly onNotification = () => undefined;

  get files(): Files {
    return this.#parts.images.files;
  }

  readonly beforeHooks: NotificationHandler = ({ script }) => {
    if (script === 'query-ext-files') void this.#begin();
    return script === 'post-dump' ? this.#take().then(() => undefined) : undefined;
  };

  async finish(): Promise<void> {
    this.#finishing ??= this.#complete();
    try {
      await this.#finishing;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#frozen, this.#finishing]);
    await this.#parts.images[Symbol.asyncDispose]();
  }

  /** The processes are frozen: begins to compare while CRIU dumps everything but memory. */
  #begin(): Promise<FrozenTree> {
    const { tree, pid } = this.#parts;
    this.#frozen ??= tree.beginFrozen(pid);
    // A failure is reported when CRIU waits for the comparison.
    this.#frozen.catch(() => {});
    return this.#frozen;
  }

  async #take(): Promise<void> {
    const { tree, survives } = this.#parts;
    const start = performance.now();
    try {
      this.processes = await tree.finishFrozen(await this.#begin(), this.directory);
      // Without an inventory nobody takes these images for a checkpoint, whatever ends this process.
      const path = join(this.directory, INVENTORY);
      this.#inventory = await readFile(path);
      await unlink(path);
    } catch (error) {
      throw this.#failed(error);
    }
    this.compareMs = performance.now() - start;
    if (!survives) await this.finish();
  }

  async #complete(): Promise<void> {
    const { parentImage, throwIfCancelled, survives, isDurable, images, complete } = this.#parts;
    const start = performance.now();
    // Once the processes run on, only what was copied can be lost.
    await complete(this.directory, this.processes, survives ? () => {} : throwIfCancelled);
    this.writeMs = performance.now() - start;
    await completeRound(this.directory, parentImage, this.#inventory);
    if (isDurable) await images.finish();
  }

  #failed(error: unknown): CriuError {
    this.failure ??= this.#parts.images.failure ?? asCriuError('dump', error);
    return this.failure;
  }
}
