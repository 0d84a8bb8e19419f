import { constants } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { native } from '../native/index.ts';
import type { Files } from '../process/files.ts';

/** What mkdtemp() puts in the place of `XXXXXX`. */
const RANDOM_PART = /^[A-Za-z0-9]{6}$/;

const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A directory for the images of one dump, locked until the descriptor is closed. */
export interface DumpDirectory {
  readonly path: string;
  readonly fd: number;
}

/**
 * Makes a directory whose path begins with `prefix`. Removes first those that were made so by dumps
 * whose process has been killed.
 * @param names what is in the directory above, if that is known
 */
export async function makeDumpDirectory(
  prefix: string,
  files: Files,
  names?: readonly string[],
): Promise<DumpDirectory> {
  const above = names ?? (await files.readdir(dirname(prefix)).catch(() => []));
  await removeAbandoned(prefix, files, above);
  const path = await files.mkdtemp(prefix);
  const fd = await files.open(path, OPEN_DIRECTORY).catch(async (error) => {
    await files.rmdir(path);
    throw error;
  });
  // Where directories cannot be locked, such as on NFS, no dump takes this one for abandoned.
  lock(fd);
  return { path, fd };
}

async function removeAbandoned(
  prefix: string,
  files: Files,
  names: readonly string[],
): Promise<void> {
  const [above, start] = [dirname(prefix), basename(prefix)];
  for (const name of names) {
    if (!name.startsWith(start) || !RANDOM_PART.test(name.slice(start.length))) continue;
    // What cannot be removed stays: the dump does not depend on it.
    await removeUnlocked(join(above, name), files).catch(() => {});
  }
}

async function removeUnlocked(path: string, files: Files): Promise<void> {
  // An empty directory may be one that is not locked yet.
  if ((await files.readdir(path)).length === 0) return;
  const fd = await files.open(path, OPEN_DIRECTORY);
  try {
    if (lock(fd)) await rm(path, { recursive: true });
  } finally {
    await files.close(fd);
  }
}

/** Locks a directory; returns false if another process has locked it, or if it cannot be locked. */
function lock(fd: number): boolean {
  try {
    return native().tryLock(fd);
  } catch {
    return false;
  }
}
