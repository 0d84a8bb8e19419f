import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { native } from '../native/index.ts';

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A lock on a directory, which the kernel releases when its process ends. */
export class DirectoryLock implements AsyncDisposable {
  readonly #file: FileHandle;

  /**
   * Locks a directory. Undefined if it does not exist, or is locked: an exclusive lock excludes all others.
   */
  static async take(
    path: string,
    kind: 'shared' | 'exclusive',
  ): Promise<DirectoryLock | undefined> {
    let file: FileHandle;
    try {
      file = await open(path, OPEN_DIRECTORY);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        return undefined;
      }
      throw error;
    }
    const lock = new DirectoryLock(file);
    try {
      const isLocked = native().tryLock(file.fd, kind === 'shared' ? kind : undefined);
      // Another process may have renamed it meanwhile.
      if (isLocked && (await lock.#isAt(path))) return lock;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return undefined;
  }

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #isAt(path: string): Promise<boolean> {
    const [own, there] = await Promise.all([this.#file.stat(), stat(path).catch(() => undefined)]);
    return own.ino === there?.ino && own.dev === there.dev;
  }
}
