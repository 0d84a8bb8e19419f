import { constants } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';

/** Makes the entries of a directory durable: those of its new files and directories. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync().finally(() => directory.close());
}

/**
 * Writes a private file in one step.
 * @param isDurable a crash of the host leaves the old file or the new one whole
 */
export async function replaceFile(path: string, text: string, isDurable: boolean): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flush: isDurable });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
