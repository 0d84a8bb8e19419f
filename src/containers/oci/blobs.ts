import type { Hash } from 'node:crypto';
import { builtins } from '../../builtins.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { type Descriptor, MAX_MANIFEST, type ManifestOrIndex } from './oci-types.ts';

/** A blob that was written. */
export interface WrittenBlob {
  readonly digest: string;
  readonly size: number;
}

/** Where images are written to: a layout, or a repository of a registry. */
export interface BlobTarget {
  /** Writes a blob. Its digest is known at the end only. */
  write(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<WrittenBlob>;
  /** Writes the manifest or index of an image, by which it is found. */
  finish(mediaType: string, content: Buffer): Promise<WrittenBlob>;
}

/** Where images are read from. */
export interface BlobSource {
  /** The manifest or index of the image. */
  root(): Promise<{ readonly descriptor: Descriptor; readonly content: Buffer }>;
  /** The bytes of a blob, which are not verified yet. */
  read(descriptor: Descriptor): AsyncIterable<Buffer>;
}

/** Counts and hashes the chunks that pass. */
export class Digest {
  readonly #hash: Hash = builtins.crypto.createHash('sha256');
  size = 0;

  async *pass(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk);
      this.size += chunk.length;
      yield chunk;
    }
  }

  /** The blob that has passed. */
  get blob(): WrittenBlob {
    return { digest: `sha256:${this.#hash.digest('hex')}`, size: this.size };
  }
}

/** The digest of bytes. */
export function digestOf(content: Buffer): string {
  return `sha256:${builtins.crypto.createHash('sha256').update(content).digest('hex')}`;
}

/** The bytes of a blob; fails at its end if they are not those of the descriptor. @throws BadStream */
export async function* verifiedBlob(
  source: BlobSource,
  descriptor: Descriptor,
): AsyncGenerator<Buffer, void> {
  const { digest, size } = checkDescriptor(descriptor);
  const passed = new Digest();
  for await (const chunk of passed.pass(source.read(descriptor))) {
    if (passed.size > size) break;
    yield chunk;
  }
  if (passed.size !== size) throw new BadStream(`the blob ${digest} has not its size`, passed.size);
  if (passed.blob.digest !== digest) throw new BadStream(`the blob ${digest} is damaged`, size);
}

/** Reads a small blob into memory. @throws BadStream */
export async function blobContent(source: BlobSource, descriptor: Descriptor): Promise<Buffer> {
  if (descriptor.size > MAX_MANIFEST) {
    throw new BadStream(`the blob ${descriptor.digest} is too large`, 0);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of verifiedBlob(source, descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Parses a manifest or an index. @throws BadStream */
export function parseManifest(content: Buffer): ManifestOrIndex {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.toString());
  } catch {}
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new BadStream('the manifest of the image is not a JSON object', 0);
  }
  const manifest = parsed as ManifestOrIndex;
  for (const list of [manifest.layers, manifest.manifests]) {
    if (list === undefined) continue;
    if (!Array.isArray(list)) throw new BadStream('the manifest of the image is damaged', 0);
    list.forEach(checkDescriptor);
  }
  return { ...manifest, annotations: stringsOf(manifest.annotations) };
}

/** @throws BadStream unless it is a descriptor with a digest of SHA-256 */
export function checkDescriptor(descriptor: unknown): Descriptor {
  const { digest, size, mediaType } = (descriptor ?? {}) as Partial<Descriptor>;
  const isValid =
    /^sha256:[0-9a-f]{64}$/.test(String(digest)) &&
    Number.isSafeInteger(size) &&
    (size ?? -1) >= 0 &&
    typeof mediaType === 'string';
  if (!isValid) throw new BadStream('the image has a descriptor that is not valid', 0);
  return descriptor as Descriptor;
}

function stringsOf(value: unknown): Record<string, string> {
  const entries = Object.entries((value ?? {}) as object);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
