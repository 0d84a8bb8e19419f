import { CriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { directoryPath } from '../options/kinds.ts';
import type { DirectoryLike } from '../options/types.ts';
import { type Files, filesIn } from '../process/files.ts';
import { makePrivateDirectory } from '../process/private-directory.ts';
import type { NotificationHandler } from '../protocol/session.ts';
import { type Directory, openDirectory, unusable } from './directories.ts';

/** Writes what describes complete images into their directory, before they are written to the disk. */
export type DescribeImages = (directory: string) => Promise<void> | undefined;

/** The images of a dump while it is being made. */
export interface DumpImages extends AsyncDisposable {
  /** Where CRIU writes them. */
  readonly directory: string;
  /** The descriptor of {@link directory}. */
  readonly fd: number;
  /** How to make calls on files in it. */
  readonly files: Files;
  /** Why they could not be completed. */
  readonly failure: CriuError | undefined;
  /** True if they are complete and in the images directory, which may hold no other ones. */
  readonly isPlaced: boolean;
  /** What stays if the dump fails now, as one phrase each. */
  readonly leftovers: readonly string[];
  /** What is done at a notification before the caller's hooks are called. */
  readonly beforeHooks?: NotificationHandler;
  /** Completes them before CRIU ends the processes, which it does after this notification. */
  readonly onNotification: NotificationHandler;
  /**
   * Completes them if that is not done yet. Idempotent.
   * @throws CriuError ERR_CRIU_SYSTEM
   */
  finish(): Promise<void>;
}

/**
 * Images that CRIU writes into the images directory itself. They are written to the disk before CRIU ends
 * the processes or, if these survive, once they are no longer frozen.
 */
export class DirectImages implements DumpImages {
  failure: CriuError | undefined;
  readonly isPlaced = false;
  readonly leftovers = [];
  readonly #opened: Directory;
  readonly #survives: boolean;
  readonly #describe: DescribeImages | undefined;
  #finishing: Promise<void> | undefined;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM */
  static async open(
    operation: string,
    target: DirectoryLike,
    survives: boolean,
    describe?: DescribeImages,
  ): Promise<DirectImages> {
    const files = typeof target === 'string' ? await filesIn(target) : undefined;
    if (typeof target === 'string') {
      await makePrivateDirectory(target, true, files).catch((error) => {
        throw unusable(operation, 'imagesDirectory', target, true, error);
      });
    }
    const opened = await openDirectory(operation, 'imagesDirectory', target, false, files);
    if (!opened) throw invalid(operation, 'imagesDirectory', 'a directory', target);
    return new DirectImages(opened, survives, describe);
  }

  private constructor(opened: Directory, survives: boolean, describe: DescribeImages | undefined) {
    this.#opened = opened;
    this.#survives = survives;
    this.#describe = describe;
  }

  get directory(): string {
    return this.#opened.path;
  }

  get fd(): number {
    return this.#opened.fd;
  }

  get files(): Files {
    return this.#opened.files;
  }

  readonly onNotification: NotificationHandler = ({ script }) =>
    script === 'post-dump' && !this.#survives ? this.finish().then(() => undefined) : undefined;

  async finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    try {
      await this.#finishing;
    } catch (cause) {
      const message = `the images in ${this.directory} cannot be written to the disk: ${(cause as Error).message}`;
      this.failure = new CriuError('ERR_CRIU_SYSTEM', message, { cause });
      throw this.failure;
    }
  }

  async #finish(): Promise<void> {
    await this.#describe?.(directoryPath(this.fd));
    await native().syncFiles(directoryPath(this.fd));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#finishing?.catch(() => {});
    await this.#opened[Symbol.asyncDispose]();
  }
}
