import type { Hash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientWritableStream } from '@grpc/grpc-js';
import { builtins } from '../../builtins.ts';
import type { Image } from '../../generated/types/node_criu/Image.ts';
import type { ImagePart, ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { Standing__Output } from '../../generated/types/node_criu/Standing.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import type { Destination } from './service.ts';

/** The most that goes in one message, in bytes, but for names and checksums. */
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
  signal: AbortSignal,
): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.img'));
  const odd = names.find((name) => !NAME.test(name));
  if (odd !== undefined) throw new Error(`the image ${odd} has a name that no destination takes`);
  let sent = 0;
  const over = new AbortController();
  const cancel = () => over.abort();
  await new Promise<Standing__Output>((resolve, reject) => {
    const stream: ClientWritableStream<ImagePart> = destination.client.putImages((error, reply) => {
      // What waits for the stream to take more waits in vain.
      over.abort();
      if (error) reject(error);
      else resolve(reply as Standing__Output);
    });
    const write = async (part: ImagePart) => {
      over.signal.throwIfAborted();
      if (!stream.write(part)) await once(stream, 'drain', { signal: over.signal });
    };
    if (signal.aborted) over.abort();
    signal.addEventListener('abort', cancel);
    over.signal.addEventListener('abort', () => stream.cancel());
    (async () => {
      await write({ round });
      for await (const { size, name, images } of batches(directory, names)) {
        if (name === undefined) await write({ whole: { images } });
        else await sendFile(join(directory, name), name, write);
        sent += size;
      }
      stream.end();
    })().catch((error) => {
      stream.cancel();
      // The stream itself knows better what it was.
      if (!over.signal.aborted) reject(error);
    });
  }).finally(() => signal.removeEventListener('abort', cancel));
  return sent;
}

interface Batch {
  readonly size: number;
  /** Of one that is too large to go with others. */
  readonly name?: string;
  readonly images: Image[];
}

/** The images of a directory: most are small, and go many at once. */
async function* batches(directory: string, names: readonly string[]): AsyncGenerator<Batch> {
  const sizes = await Promise.all(
    names.map(async (name) => [name, (await stat(join(directory, name))).size] as const),
  );
  let [batch, size]: [string[], number] = [[], 0];
  for (const [name, own] of sizes) {
    if (own > PIECE) {
      yield { name, size: own, images: [] };
      continue;
    }
    if (size + own > PIECE) {
      yield { size, images: await readImages(directory, batch) };
      [batch, size] = [[], 0];
    }
    batch.push(name);
    size += own;
  }
  yield { size, images: await readImages(directory, batch) };
}

async function readImages(directory: string, names: readonly string[]): Promise<Image[]> {
  return await Promise.all(
    names.map(async (name) => {
      const data = await readFile(join(directory, name));
      return { name, data, sha256: sha256Of(data) };
    }),
  );
}

async function sendFile(
  path: string,
  name: string,
  write: (part: ImagePart) => Promise<void>,
): Promise<void> {
  const hash = builtins.crypto.createHash('sha256');
  await write({ name });
  await using file = await open(path);
  for await (const data of file.createReadStream({ highWaterMark: PIECE, autoClose: false })) {
    hash.update(data);
    await write({ data });
  }
  await write({ sha256: hash.digest() });
}

/** How much may still come. */
export interface Allowance {
  bytes: number;
  files: number;
}

/**
 * Writes images into a directory; none of them takes the place of one that is there.
 * @param allowance what has come is taken off
 * @throws Error that says what is wrong with them
 */
export async function receiveImages(
  parts: AsyncIterable<ImagePart__Output>,
  directory: string,
  allowance: Allowance,
): Promise<void> {
  await makePrivateDirectory(directory);
  const pathOf = (name: string) => {
    if (!NAME.test(name)) throw new Error('a file has a name that no image has');
    if (--allowance.files < 0) throw new Error('there are too many files');
    return join(directory, name);
  };
  const takeOff = (data: Uint8Array) => {
    allowance.bytes -= data.length;
    if (allowance.bytes < 0) throw new Error('the images have more bytes than there is room for');
  };
  let current: { name: string; file: FileHandle; hash: Hash } | undefined;
  try {
    for await (const { part, name = '', data, sha256, whole } of parts) {
      const isBetween = part === 'name' || part === 'whole';
      if (isBetween && current) throw new Error(`${current.name} has no end`);
      if (part === 'whole' && whole) {
        const checked = whole.images.map((image) => {
          takeOff(image.data);
          if (!sha256Of(image.data).equals(image.sha256)) throw damaged(image.name);
          return [pathOf(image.name), image.data] as const;
        });
        const options = { flag: 'wx', mode: 0o600 };
        await Promise.all(checked.map(([path, data]) => writeFile(path, data, options)));
      } else if (part === 'name') {
        const file = await open(pathOf(name), 'wx', 0o600);
        current = { name, file, hash: builtins.crypto.createHash('sha256') };
      } else if (part === 'data' && current && data) {
        takeOff(data);
        current.hash.update(data);
        // All of it: a write alone may do less.
        await current.file.appendFile(data);
      } else if (part === 'sha256' && current && sha256) {
        if (!current.hash.digest().equals(sha256)) throw damaged(current.name);
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

function damaged(name: string): Error {
  return new Error(`${name} is damaged`);
}

function sha256Of(data: Uint8Array): Buffer {
  return builtins.crypto.createHash('sha256').update(data).digest();
}
