import type { Hash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientWritableStream } from '@grpc/grpc-js';
import { builtins } from '../../builtins.ts';
import type { ImagePart, ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { Standing__Output } from '../../generated/types/node_criu/Standing.ts';
import { makePrivateDirectory } from '../../private-directory.ts';
import type { Destination } from './service.ts';

const PIECE = 256 << 10;
/** The names that CRIU gives, the end of an archived tmpfs included: no separator, and no other dot. */
const NAME = /^[A-Za-z0-9_-]{1,64}(\.tar\.gz)?\.img$/;

/**
 * Sends the images of a directory, each with its checksum. Resolves with their size, in bytes.
 * @throws Error if there is one that no destination takes
 */
export async function sendImages(
  destination: Destination,
  round: { readonly id: string; readonly index: number },
  directory: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.img'));
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw new Error(`the image ${odd} has a name that no destination takes`);
  let sent = 0;
  const over = new AbortController();
  const cancel = () => over.abort();
  await new Promise<Standing__Output>((resolve, reject) => {
    const stream: ClientWritableStream<ImagePart> = destination.client.putImages(
      { deadline: Date.now() + withinMs },
      (error, reply) => {
        // What waits for the stream to take more waits in vain.
        over.abort();
        if (error) reject(error);
        else resolve(reply as Standing__Output);
      },
    );
    const write = async (part: ImagePart) => {
      over.signal.throwIfAborted();
      if (!stream.write(part)) await once(stream, 'drain', { signal: over.signal });
    };
    if (signal.aborted) over.abort();
    signal.addEventListener('abort', cancel);
    over.signal.addEventListener('abort', () => stream.cancel());
    (async () => {
      await write({ round });
      for (const name of names) sent += await sendFile(join(directory, name), name, write);
      stream.end();
    })().catch((error) => {
      stream.cancel();
      // The stream itself knows better what it was.
      if (!over.signal.aborted) reject(error);
    });
  }).finally(() => signal.removeEventListener('abort', cancel));
  return sent;
}

async function sendFile(
  path: string,
  name: string,
  write: (part: ImagePart) => Promise<void>,
): Promise<number> {
  const hash = builtins.crypto.createHash('sha256');
  let size = 0;
  await write({ name });
  await using file = await open(path);
  for await (const data of file.createReadStream({ highWaterMark: PIECE, autoClose: false })) {
    hash.update(data);
    size += (data as Buffer).length;
    await write({ data });
  }
  await write({ sha256: hash.digest() });
  return size;
}

/**
 * Writes images into a directory; none of them takes the place of one that is there.
 * @param allowance how much may come; what has come is taken off
 * @throws Error that says what is wrong with them
 */
export async function receiveImages(
  parts: AsyncIterable<ImagePart__Output>,
  directory: string,
  allowance: { bytes: number; files: number },
): Promise<void> {
  await makePrivateDirectory(directory);
  let current: { name: string; file: FileHandle; hash: Hash } | undefined;
  try {
    for await (const { part, name, data, sha256 } of parts) {
      if (part === 'name') {
        if (current) throw new Error(`${current.name} has no end`);
        if (!NAME.test(name ?? '')) throw new Error('a file has a name that no image has');
        if (--allowance.files < 0) throw new Error('there are too many files');
        const file = await open(join(directory, name as string), 'wx', 0o600);
        current = { name: name as string, file, hash: builtins.crypto.createHash('sha256') };
      } else if (part === 'data' && current && data) {
        allowance.bytes -= data.length;
        if (allowance.bytes < 0)
          throw new Error('the images have more bytes than there is room for');
        current.hash.update(data);
        // All of it: a write alone may do less.
        await current.file.appendFile(data);
      } else if (part === 'sha256' && current && sha256) {
        if (!current.hash.digest().equals(sha256)) throw new Error(`${current.name} is damaged`);
        await current.file.close();
        current = undefined;
      } else {
        throw new Error('the images come in a wrong order');
      }
    }
    if (current) throw new Error(`${current.name} has no end`);
  } finally {
    await current?.file.close();
  }
}
