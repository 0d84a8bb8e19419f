import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { asCriuError, CriuError } from '../../errors.ts';
import { native } from '../../native/index.ts';
import { syncDirectory } from '../../process/durable.ts';
import { exchange } from '../../process/exchange.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { isCheckpoint, STAGING } from '../image-names.ts';
import { writeNewManifest } from './new-manifest.ts';

/** Where images are written to, and how. */
export interface NewDirectory {
  /** The directory that gets the images. */
  readonly target: string;
  /** Replace a checkpoint in it. */
  readonly overwrite: boolean;
  /** Directories that are read meanwhile; the manifest of the first one becomes that of the new images. */
  readonly sources: readonly string[];
}

/**
 * Makes a directory of images, which appears when it is complete and on the disk, also after a crash. It and its
 * files are for their owner only.
 * @param write writes the images into a directory beside the target
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for the option `target`; ERR_CRIU_SYSTEM; and what `write` throws
 */
export async function writeDirectory<T>(
  operation: string,
  { target, overwrite, sources }: NewDirectory,
  write: (directory: string) => Promise<T>,
): Promise<T> {
  const path = resolve(target);
  const staging = join(dirname(path), `.${basename(path)}${STAGING}${randomUUID()}`);
  let made: readonly string[] = [];
  try {
    const replaces = await holds(operation, path, overwrite, sources);
    made = await makePrivateDirectory(dirname(path), true);
    await mkdir(staging, { mode: 0o700 });
    const result = await write(staging);
    const [source] = sources;
    if (source !== undefined) await writeNewManifest(operation, source, staging);
    await native().syncFiles(staging);
    if (replaces) await exchange(staging, path);
    // Also over an empty directory.
    else await rename(staging, path);
    await syncDirectory(dirname(path));
    if (replaces) await rm(staging, { recursive: true });
    return result;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    for (const directory of made) await rmdir(directory).catch(() => {});
    // Only system calls have such errors; another one may be the reason of a signal.
    throw error instanceof Error && 'syscall' in error ? asCriuError(operation, error) : error;
  }
}

/** True if the target has a checkpoint to be replaced. */
async function holds(
  operation: string,
  path: string,
  overwrite: boolean,
  sources: readonly string[],
): Promise<boolean> {
  const refused = (why: string) =>
    new CriuError('ERR_CRIU_INVALID_ARGUMENT', `${operation}: target ${path} ${why}`, {
      ...{ operation, option: 'target' },
    });
  const real = await realpath(path).catch(() => path);
  if (sources.includes(real)) throw refused('is read from: name another directory');
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw refused(`cannot be read: ${error.message}`);
  });
  if (names.length === 0) return false;
  if (!isCheckpoint(names)) throw refused('has other files: name a new or empty directory');
  if (overwrite) return true;
  throw refused('already holds a checkpoint: name another directory, or set overwrite: true');
}
