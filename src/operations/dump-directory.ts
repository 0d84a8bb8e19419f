import { constants } from 'node:fs';
import { type FileHandle, mkdtemp, open, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { native } from '../native/index.ts';

/** What mkdtemp() puts in the place of `XXXXXX`. */
const RANDOM_PART = /^[A-Za-z0-9]{6}$/;

/** A directory for the images of one dump, locked until the handle is closed. */
export interface DumpDirectory {
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * Makes a directory whose path begins with `prefix`. Removes first those that were made so by dumps
 * whose process has been killed.
 */
export async function makeDumpDirectory(prefix: string): Promise<DumpDirectory> {
  await removeAbandoned(prefix);
  const path = await mkdtemp(prefix);
  const handle = await openDirectory(path).catch(async (error) => {
    await rmdir(path);
    throw error;
  });
  // Where directories cannot be locked, such as on NFS, no dump takes this one for abandoned.
  lock(handle);
  return { path, handle };
}

async function removeAbandoned(prefix: string): Promise<void> {
  const [above, start] = [dirname(prefix), basename(prefix)];
  const names = await readdir(above).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(start) || !RANDOM_PART.test(name.slice(start.length))) continue;
    // What cannot be removed stays: the dump does not depend on it.
    await removeUnlocked(join(above, name)).catch(() => {});
  }
}

async function removeUnlocked(path: string): Promise<void> {
  // An empty directory may be one that is not locked yet.
  if ((await readdir(path)).length === 0) return;
  const handle = await openDirectory(path);
  try {
    if (lock(handle)) await rm(path, { recursive: true });
  } finally {
    await handle.close();
  }
}

async function openDirectory(path: string): Promise<FileHandle> {
  return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Locks a directory; returns false if another process has locked it, or if it cannot be locked. */
function lock(handle: FileHandle): boolean {
  try {
    return native().tryLock(handle.fd);
  } catch {
    return false;
  }
}
