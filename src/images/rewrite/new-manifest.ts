import { readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { remoteFiles } from '../../process/files.ts';
import { newChecksumMethod } from '../checksum.ts';
import { FileChecksums } from '../file-checksums.ts';
import { INVENTORY, MANIFEST } from '../image-names.ts';
import { formatManifest, listed, manifestIn } from '../manifest.ts';

/**
 * Writes the manifest of images that were made from others: what those say of themselves, with the checksums of the
 * new files. Nothing is written if the others have none.
 * @throws CriuError ERR_CRIU_BAD_IMAGE if their manifest is damaged
 */
export async function writeNewManifest(
  operation: string,
  source: string,
  directory: string,
): Promise<void> {
  const manifest = await manifestIn(operation, await realpath(source), remoteFiles);
  if (!manifest) return;
  const { parent: _, ...kept } = manifest;
  const checksum = newChecksumMethod();
  const files = await new FileChecksums(checksum, remoteFiles).allIn(directory);
  const inventory = await readFile(join(directory, INVENTORY), 'base64');
  const text = formatManifest({ ...kept, inventory, ...listed(checksum, files) });
  await writeFile(join(directory, MANIFEST), text, { mode: 0o600 });
}
