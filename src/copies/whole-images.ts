import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError } from '../errors.ts';
import { readManifest } from '../images/manifest.ts';
import { verifyImages } from '../images/verify.ts';

/**
 * Refuses images of which a file is missing or has another size than the dump wrote. It does not read the memory.
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function assertWhole(operation: string, directory: string): Promise<void> {
  const [damage] = await verifyImages(directory);
  const problem = damage?.message ?? (await wrongFile(directory));
  if (problem === undefined) return;
  throw new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${problem}`, { operation });
}

async function wrongFile(directory: string): Promise<string | undefined> {
  const { files = {} } = (await readManifest(directory)) ?? {};
  for (const [name, { bytes }] of Object.entries(files)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (!found) return `${path} is missing`;
    if (found.size !== bytes) return `${path} has ${found.size} bytes instead of ${bytes}`;
  }
  return undefined;
}
