import type { Hash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtins } from '../../builtins.ts';
import type { Image } from '../../generated/types/node_criu/Image.ts';
import type { ImagePart, ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import type { DestinationClient } from './destination-client.ts';

/** The most image data in one message, in bytes. */
const CHUNK = 256 << 10;
/** File names that CRIU uses, including archives of a tmpfs. Excludes path separators and dot files. */
const NAME = /^[A-Za-z0-9_-]{1,64}(\.tar\.gz)?\.img$/;
/** Files that describe a container, beside its images. No other file goes with them, such as a manifest. */
const CONTAINER_FILES: ReadonlySet<string> = new Set([
  ...['container.json', 'descriptors.json', 'rootfs-diff.tar', 'deleted.files'],
]);

/**
 * Sends the images of a directory, each with its checksum.
 * @returns their size, in bytes
 * @throws Error if an image has a name that a destination refuses
 */
export async function sendImages(
  destination: Pick<DestinationClient, 'putImages'>,
  round: { readonly id: string; readonly index: number },
  directory: string,
  signal: AbortSignal,
): Promise<number> {
  const names = (await readdir(directory)).filter(
    (name) => name.endsWith('.img') || CONTAINER_FILES.has(name),
  );
  const refused = names.find((name) => !isSent(name));
  if (refused !== undefined)
    throw new Error(`the destination would refuse the image name ${refused}`);
  let sent = 0;
  const ended = new AbortController();
  const onAbort = () => ended.abort();
  await new Promise<void>((resolve, reject) => {
    const stream = destination.putImages((error) => {
      // Ends a write that waits for the stream to drain.
      ended.abort();
      if (error) reject(error);
      else resolve();
    });
    const write = async (part: ImagePart) => {
      ended.signal.throwIfAborted();
      if (!stream.write(part)) await once(stream, 'drain', { signal: ended.signal });
    };
    if (signal.aborted) ended.abort();
    signal.addEventListener('abort', onAbort);
    ended.signal.addEventListener('abort', () => stream.cancel());
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
      // If the stream has ended, its own error says why.
      if (!ended.signal.aborted) reject(error);
    });
  }).finally(() => signal.removeEventListener('abort', onAbort));
  return sent;
}

function isSent(name: string): boolean {
  return NAME.test(name) || CONTAINER_FILES.has(name);
}

interface Batch {
  readonly size: number;
  /** The name of a file that is too large to share a message. */
  readonly name?: string;
  readonly images: Image[];
}

/** The images of a directory, grouped into messages: most images are small. */
async function* batches(directory: string, names: readonly string[]): AsyncGenerator<Batch> {
  const sizes = await Promise.all(
    names.map(async (name) => [name, (await stat(join(directory, name))).size] as const),
  );
  let [batch, size]: [string[], number] = [[], 0];
  for (const [name, fileSize] of sizes) {
    if (fileSize > CHUNK) {
      yield { name, size: fileSize, images: [] };
      continue;
    }
    if (size + fileSize > CHUNK) {
      yield { size, images: await readImages(directory, batch) };
      [batch, size] = [[], 0];
    }
    batch.push(name);
    size += fileSize;
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
  for await (const data of file.createReadStream({ highWaterMark: CHUNK, autoClose: false })) {
    hash.update(data);
    await write({ data });
  }
  await write({ sha256: hash.digest() });
}

/** The amount of image data that a peer may still send. */
export interface Allowance {
  bytes: number;
  files: number;
}

/**
 * Writes received images into a directory. An image never replaces an existing file.
 * @param allowance is reduced by what arrives
 * @throws Error that says what is wrong with the images
 */
export async function receiveImages(
  parts: AsyncIterable<ImagePart__Output>,
  directory: string,
  allowance: Allowance,
): Promise<void> {
  await makePrivateDirectory(directory);
  const pathOf = (name: string) => {
    if (!isSent(name)) throw new Error('a file name is not one that CRIU gives to images');
    if (--allowance.files < 0) throw new Error('there are too many files');
    return join(directory, name);
  };
  const count = (data: Uint8Array) => {
    allowance.bytes -= data.length;
    if (allowance.bytes < 0) throw new Error('the images are larger than the offer allows');
  };
  let current: { name: string; file: FileHandle; hash: Hash } | undefined;
  try {
    for await (const { part, name = '', data, sha256, whole } of parts) {
      const startsFile = part === 'name' || part === 'whole';
      if (startsFile && current) throw new Error(`${current.name} is incomplete`);
      if (part === 'whole' && whole) {
        const checked = whole.images.map((image) => {
          count(image.data);
          if (!sha256Of(image.data).equals(image.sha256)) throw damaged(image.name);
          return [pathOf(image.name), image.data] as const;
        });
        const options = { flag: 'wx', mode: 0o600 };
        await Promise.all(checked.map(([path, data]) => writeFile(path, data, options)));
      } else if (part === 'name') {
        const file = await open(pathOf(name), 'wx', 0o600);
        current = { name, file, hash: builtins.crypto.createHash('sha256') };
      } else if (part === 'data' && current && data) {
        count(data);
        current.hash.update(data);
        // appendFile() writes all of it, where write() may write less.
        await current.file.appendFile(data);
      } else if (part === 'sha256' && current && sha256) {
        if (!current.hash.digest().equals(sha256)) throw damaged(current.name);
        await current.file.close();
        current = undefined;
      } else {
        throw new Error('the parts of the images are out of order');
      }
    }
    if (current) throw new Error(`${current.name} is incomplete`);
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
