import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { CriuError } from '../errors.ts';

/** A program that this process may execute. */
export interface Executable {
  /** Absolute. */
  readonly path: string;
  readonly stats: Stats;
}

/**
 * Finds a program as a shell does: a name with a slash is a path, any other name is looked up on PATH.
 * @param advice text that follows the message of ERR_CRIU_NOT_FOUND
 * @throws CriuError ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION
 */
export async function findExecutable(
  operation: string,
  name: string,
  { searchPath = process.env.PATH, cwd = '.', advice = '' } = {},
): Promise<Executable> {
  const isPath = name.includes('/');
  const directories = isPath ? [''] : (searchPath ?? '').split(delimiter);
  let refused: unknown;
  for (const directory of directories) {
    const path = resolve(cwd, directory, name);
    try {
      // Synchronous: the two calls take microseconds, a detour through libuv's threads much longer.
      const stats = statSync(path);
      if (!stats.isFile()) {
        throw new Error(`${path} is ${stats.isDirectory() ? 'a directory' : 'not a file'}`);
      }
      accessSync(path, constants.X_OK);
      return { path, stats };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') refused ??= error;
    }
  }
  if (refused) {
    const message = `${operation}: cannot execute ${name}: ${(refused as Error).message}`;
    throw new CriuError('ERR_CRIU_NO_PERMISSION', message, { operation, cause: refused });
  }
  const message = `${operation}: there is no ${name}${isPath ? '' : ' on PATH'}${advice}`;
  throw new CriuError('ERR_CRIU_NOT_FOUND', message, { operation });
}
