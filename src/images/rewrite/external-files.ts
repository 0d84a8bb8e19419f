import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';

/** A position that CRIU does not seek to. */
const NO_POSITION = 0xffff_ffff_ffff_ffffn;

/**
 * Lets external files of new images be replaced by files of any type: CRIU would fail if there is a pipe or a
 * terminal in the place of the file, because it cannot seek to the position, and has another mode.
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_SYSTEM
 */
export async function allowAnyFile(directory: string): Promise<void> {
  const path = join(directory, 'files.img');
  await encodeImage(`${path}.new`, 'FILES', withoutTypes(path));
  await rename(`${path}.new`, path);
}

async function* withoutTypes(path: string): AsyncGenerator<ImageEntry<'FILES'>> {
  for await (const entry of decodeImage(path, { kind: 'FILES' })) {
    const { reg } = entry.message;
    if (reg?.ext) Object.assign(reg, { pos: NO_POSITION, mode: undefined, size: undefined });
    yield entry;
  }
}
