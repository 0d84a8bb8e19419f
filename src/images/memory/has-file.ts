import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether a directory has a file. */
export async function hasFile(directory: string, name: string): Promise<boolean> {
  return await stat(join(directory, name)).then(
    () => true,
    () => false,
  );
}
