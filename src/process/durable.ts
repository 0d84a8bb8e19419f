import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Makes the entries of a directory durable: those of its new files and directories. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync().finally(() => directory.close());
}
