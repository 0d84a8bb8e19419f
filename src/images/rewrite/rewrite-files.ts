import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';

/** An open file in images. */
export type OpenFile = ImageEntry<'FILES'>['message'];

/**
 * Changes the open files in new images, in one pass.
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_SYSTEM
 */
export async function rewriteFiles(
  directory: string,
  ...changes: readonly ((file: OpenFile) => void)[]
): Promise<void> {
  const path = join(directory, 'files.img');
  await encodeImage(`${path}.new`, 'FILES', changed(path, changes));
  await rename(`${path}.new`, path);
}

async function* changed(
  path: string,
  changes: readonly ((file: OpenFile) => void)[],
): AsyncGenerator<ImageEntry<'FILES'>> {
  for await (const entry of decodeImage(path, { kind: 'FILES' })) {
    for (const change of changes) change(entry.message);
    yield entry;
  }
}
