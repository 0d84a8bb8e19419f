import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { builtins } from '../builtins.ts';

/**
 * Writes a file that appears, or replaces another one, when it is complete. It has the mode 0600.
 * @param write writes the content; what it throws is thrown, and nothing is left behind
 */
export async function replaceFile(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${builtins.crypto.randomUUID()}.new`;
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
