import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';

/** States of a socket, from net/tcp_states.h. */
const ESTABLISHED = 1;
const CLOSED = 7;

/**
 * Has unix connections whose other end is gone restored by inheritFd: CRIU otherwise waits for ever for the other end that it
 * invents for them.
 * @param names CRIU's names of the sockets
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_SYSTEM
 */
export async function endConnections(directory: string, names: readonly string[]): Promise<void> {
  const path = join(directory, 'files.img');
  await encodeImage(`${path}.new`, 'FILES', withEnds(path, new Set(names)));
  await rename(`${path}.new`, path);
}

async function* withEnds(
  path: string,
  names: ReadonlySet<string>,
): AsyncGenerator<ImageEntry<'FILES'>> {
  for await (const entry of decodeImage(path, { kind: 'FILES' })) {
    const { usk } = entry.message;
    if (usk?.state === ESTABLISHED && usk.peer === 0 && names.has(`socket:[${usk.ino}]`)) {
      usk.state = CLOSED;
    }
    yield entry;
  }
}
