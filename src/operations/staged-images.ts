import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CriuError } from '../errors.ts';
import {
  holdsCheckpoint,
  INVENTORY,
  isCheckpoint,
  isImageName,
  STAGING,
} from '../images/image-names.ts';
import { native } from '../native/index.ts';
import { syncDirectory } from '../process/durable.ts';
import { exchange } from '../process/exchange.ts';
import { type Files, filesIn } from '../process/files.ts';
import { makePrivateDirectory } from '../process/private-directory.ts';
import { readMountInfo } from '../procfs/mountinfo.ts';
import type { NotificationHandler } from '../protocol/session.ts';
import type { DescribeImages, DumpImages } from './direct-images.ts';
import { unusable } from './directories.ts';
import { type DumpDirectory, makeDumpDirectory } from './dump-directory.ts';

/** How the images of a dump get into their directory. */
export interface StagingOptions {
  /** Replace a checkpoint that the images directory holds. */
  readonly overwrite: boolean;
  /** Write everything to the disk. */
  readonly durable: boolean;
  /** Keep the images of a dump that fails. */
  readonly keepFailed: boolean;
  /** The processes survive the dump: their images are moved once they are no longer frozen. */
  readonly survives: boolean;
  /** Describes them before they are moved. */
  readonly describe?: DescribeImages | undefined;
}

/**
 * The images of a dump in a directory of their own, until they are complete. They are moved into the
 * images directory before CRIU ends the processes, so that at every moment either the processes or
 * their checkpoint exist.
 *
 * A directory without a checkpoint gets the images one by one, the inventory last; it keeps its inode,
 * and can be a mount point. A directory with a checkpoint changes places with the new one in one step.
 * The log and the statistics are written to the images directory itself.
 */
export class StagedImages implements DumpImages {
  /** Where CRIU writes the images. */
  readonly directory: string;
  /** Why the images could not be moved. */
  failure: CriuError | undefined;
  readonly #target: string;
  /** The descriptor of {@link directory}. */
  readonly fd: number;
  /** How to make calls on files in both directories. */
  readonly files: Files;
  readonly #options: StagingOptions;
  /** True if the directory holds a checkpoint. */
  readonly #replaces: boolean;
  /** Directories that did not exist before, the deepest first. */
  readonly #made: readonly string[];
  #placing: Promise<void> | undefined;
  #finishing: Promise<void> | undefined;
  /** The images that are in the images directory by now, or true if the directories are exchanged. */
  #placed: string[] | true = [];
  #isOver = false;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM */
  static async open(
    operation: string,
    target: string,
    options: StagingOptions,
  ): Promise<StagedImages> {
    const made: string[] = [];
    const files = await filesIn(target);
    try {
      made.push(...(await makePrivateDirectory(target, options.durable, files)));
      const path = await files.realpath(target);
      const names = await files.readdir(path);
      const replaces = isCheckpoint(names);
      if (replaces && !options.overwrite) throw holdsAlready(operation, target);
      if (replaces) await assertReplaceable(operation, path);
      const start = replaces
        ? join(dirname(path), `.${basename(path)}${STAGING}`)
        : join(path, STAGING);
      // Images that the caller wants to keep are not abandoned.
      const prefix = options.keepFailed ? `${start}kept-` : start;
      const directory = await makeDumpDirectory(prefix, files, replaces ? undefined : names);
      return new StagedImages(path, directory, files, options, replaces, made);
    } catch (error) {
      for (const path of made) await files.rmdir(path).catch(() => {});
      if (error instanceof CriuError) throw error;
      throw unusable(operation, 'imagesDirectory', target, true, error);
    }
  }

  private constructor(
    target: string,
    directory: DumpDirectory,
    files: Files,
    options: StagingOptions,
    replaces: boolean,
    made: readonly string[],
  ) {
    this.directory = directory.path;
    this.fd = directory.fd;
    this.#target = target;
    this.files = files;
    this.#options = options;
    this.#replaces = replaces;
    this.#made = made;
  }

  /** True if the images are complete and in their directory. */
  get isPlaced(): boolean {
    return this.#placed === true || this.#placed.includes(INVENTORY);
  }

  /** Moves the images before CRIU ends the processes, which it does after this notification. */
  readonly onNotification: NotificationHandler = ({ script }) =>
    script === 'post-dump' && !this.#options.survives
      ? this.#place().then(() => undefined)
      : undefined;

  /**
   * Moves the images if that is not done yet, and removes the checkpoint that they replace. Idempotent.
   * @throws CriuError ERR_CRIU_SYSTEM
   */
  async finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    await this.#finishing;
  }

  /** What stays if the dump fails now, as one phrase each. */
  get leftovers(): string[] {
    return this.#options.keepFailed ? [`the images in ${this.directory}`] : [];
  }

  /** Unless the dump is finished, removes its images, and brings back those that they replaced. */
  async [Symbol.asyncDispose](): Promise<void> {
    const isFinished = this.#isOver;
    this.#isOver = true;
    await this.#placing?.catch(() => {});
    await this.files.close(this.fd);
    if (isFinished) return;
    try {
      await this.#takeBack();
      if (this.#options.keepFailed) return;
      await rm(this.directory, { recursive: true, force: true });
      for (const path of this.#made) await this.files.rmdir(path);
    } catch {
      // A directory with a log stays, and so does what cannot be removed: the dump has failed already.
    }
  }

  async #finish(): Promise<void> {
    await this.#place();
    this.#isOver = true;
    try {
      // The statistics, which CRIU writes last.
      if (this.#replaces) await moveOthers(this.files, this.directory, this.#target);
      // Usually it is empty now.
      await this.files.rmdir(this.directory).catch(() => rm(this.directory, { recursive: true }));
    } catch (cause) {
      throw systemError(`${this.directory} cannot be removed`, cause);
    }
  }

  async #place(): Promise<void> {
    this.#placing ??= this.#replaces ? this.#exchange() : this.#moveIn();
    try {
      await this.#placing;
    } catch (cause) {
      this.failure = systemError(`the images cannot be moved into ${this.#target}`, cause);
      throw this.failure;
    }
  }

  async #moveIn(): Promise<void> {
    const names = await this.#complete();
    if (await holdsCheckpoint(this.#target, this.files)) {
      throw new Error('another dump has put a checkpoint there in the meantime');
    }
    this.#assertNotOver();
    const placed: string[] = [];
    this.#placed = placed;
    const move = async (name: string) => {
      await this.files.rename(join(this.directory, name), join(this.#target, name));
      placed.push(name);
    };
    for (const name of names) if (name !== INVENTORY) await move(name);
    if (this.#options.durable) await syncDirectory(this.#target);
    await move(INVENTORY);
    if (this.#options.durable) await syncDirectory(this.#target);
  }

  async #exchange(): Promise<void> {
    await this.#complete();
    const { mode, uid, gid } = await this.files.stat(this.#target);
    const own = await this.files.stat(this.directory);
    if (own.uid !== uid || own.gid !== gid) await this.files.chown(this.directory, uid, gid);
    await this.files.chmod(this.directory, mode & 0o7777);
    this.#assertNotOver();
    await exchange(this.directory, this.#target, this.files);
    this.#placed = true;
    await moveOthers(this.files, this.directory, this.#target);
    if (this.#options.durable) await syncDirectory(dirname(this.#target));
  }

  /** The names of the images, which are on the disk by now if that is asked for. */
  async #complete(): Promise<string[]> {
    await this.#options.describe?.(this.directory);
    if (this.#options.durable) await native().syncFiles(this.directory);
    return await this.files.readdir(this.directory);
  }

  /** The dump may fail while a hook runs or the images are written to the disk. */
  #assertNotOver(): void {
    if (this.#isOver) throw new Error('the dump has failed in the meantime');
  }

  async #takeBack(): Promise<void> {
    if (this.#placed === true) {
      await moveOthers(this.files, this.#target, this.directory);
      await exchange(this.directory, this.#target, this.files);
      return;
    }
    // The inventory comes first: without it the others are no checkpoint.
    for (const name of this.#placed.toReversed()) {
      await this.files.rename(join(this.#target, name), join(this.directory, name));
    }
  }
}

/** The error of an images directory that holds a checkpoint, without `overwrite`. */
export function holdsAlready(operation: string, path: string): CriuError {
  const message = `${operation}: imagesDirectory ${path} already holds a checkpoint: name another directory, or set overwrite: true`;
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, {
    operation,
    option: 'imagesDirectory',
  });
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for a mount point, which cannot be renamed */
async function assertReplaceable(operation: string, path: string): Promise<void> {
  if (!(await readMountInfo('self')).some(({ point }) => point === path)) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: imagesDirectory ${path} is a mount point, whose checkpoint cannot be replaced in one step: name a directory below it`,
    { operation, option: 'imagesDirectory' },
  );
}

function systemError(what: string, cause: unknown): CriuError {
  return new CriuError('ERR_CRIU_SYSTEM', `${what}: ${(cause as Error).message}`, { cause });
}

/** Moves everything but images: the log, and files of the caller. */
async function moveOthers(files: Files, from: string, to: string): Promise<void> {
  const names = (await files.readdir(from)).filter((name) => !isImageName(name));
  for (const name of names) await files.rename(join(from, name), join(to, name));
}
