import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { builtins } from '../builtins.ts';
import type { Files } from './files.ts';

/**
 * Writes a file that appears, or replaces another one, when it is complete. It has the mode 0600.
 * @param write writes the content; what it throws is thrown, and nothing is left behind
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = besides(path);
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      await write(file);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * The same for a text.
 * @param files how to make calls on files in its directory
 * @param isDurable the file is on the disk before it has its name
 */
export async function replaceText(
  path: string,
  text: string,
  files: Files,
  isDurable: boolean,
): Promise<void> {
  if (isDurable) {
    await replaceFile(path, async (file) => {
      await file.writeFile(text);
      await file.sync();
    });
    return;
  }
  const temporary = besides(path);
  try {
    await files.writeNew(temporary, text);
    await files.rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The path of a file until it is complete and gets its name. */
export function besides(path: string): string {
  return `${path}.${builtins.crypto.randomUUID()}.new`;
}
