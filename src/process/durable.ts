import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files are written to the disk at once: as many as Node has threads for system calls. */
const LANES = 4;

/** Writes files to the disk, and then the entries of their directory. */
export async function syncFiles(directory: string, names: readonly string[]): Promise<void> {
  const left = names.values();
  const lane = async () => {
    for (const name of left) {
      const file = await open(join(directory, name));
      await file.sync().finally(() => file.close());
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await syncDirectory(directory);
}

/** Makes the entries of a directory durable: those of its new files and directories. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync().finally(() => directory.close());
}
