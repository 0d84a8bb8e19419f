import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { invalid } from '../errors.ts';
import { syncDirectory } from './durable.ts';
import { type Files, remoteFiles } from './files.ts';

/** The mode bits with which others than the owner can write. */
export const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Makes a directory, and those above it that are missing, with access for its owner only. It does not use
 * `recursive` of mkdir, which never ends in a file system without directories to make, such as /proc.
 * @param isDurable also makes the entries of what it has made durable
 * @returns the directories that were missing, the deepest first
 */
export async function makePrivateDirectory(
  path: string,
  isDurable = false,
  files: Files = remoteFiles,
): Promise<string[]> {
  const whole = resolve(path);
  try {
    return await makeOne(whole, isDurable, files);
  } catch (error) {
    const parent = dirname(whole);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === whole) throw error;
    const above = await makePrivateDirectory(parent, isDurable, files);
    return [...(await makeOne(whole, isDurable, files)), ...above];
  }
}

async function makeOne(path: string, isDurable: boolean, files: Files): Promise<string[]> {
  try {
    await files.mkdir(path, { mode: 0o700 });
    if (isDurable) await syncDirectory(dirname(path));
    return [path];
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (!isThere || !(await files.stat(path)).isDirectory()) throw error;
    return [];
  }
}

/**
 * Checks that only this user and root can change what is in a directory, or put another one in its place:
 * the journals in it decide what runs on this host. Does nothing if the directory does not exist.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for the option `directory`
 */
export async function requirePrivate(operation: string, directory: string): Promise<void> {
  const real = await realpath(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (real === undefined) return;
  // The path as it is given may contain links, which belong to the directories that they are in.
  for (const path of new Set([...upwards(real), ...upwards(resolve(directory))])) {
    const { uid, mode } = await stat(path);
    const isOurs = uid === 0 || uid === process.geteuid?.();
    // In a sticky directory, such as /tmp, others cannot replace what is not theirs.
    const isShut = (mode & WRITABLE_BY_OTHERS) === 0 || (path !== real && (mode & STICKY) !== 0);
    if (isOurs && isShut) continue;
    const who = isOurs ? `has mode ${(mode & 0o7777).toString(8)}` : `belongs to user ${uid}`;
    const takes = 'a directory of this user to which nobody else can write, nor to those above it';
    throw invalid(
      operation,
      'directory',
      `${takes} (${path} ${who}: chmod go-w, or chown)`,
      directory,
    );
  }
}

/** A directory and those above it. */
function upwards(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...upwards(parent)];
}
