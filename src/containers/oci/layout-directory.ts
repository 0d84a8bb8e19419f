import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtins } from '../../builtins.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { chunksOfFile } from '../archive/tar-writer.ts';
import {
  type BlobSource,
  type BlobTarget,
  blobContent,
  Digest,
  digestOf,
  parseManifest,
  type WrittenBlob,
} from './blobs.ts';
import { type Descriptor, MAX_MANIFEST, MEDIA, REFERENCE_NAME } from './oci-types.ts';

/** The file that says that a directory is a layout. Source: the OCI image specification, image-layout.md. */
export const LAYOUT = 'oci-layout';
const INDEX = 'index.json';
const CONTAINERD_NAME = 'io.containerd.image.name';

/** An image of a layout: a directory of blobs by digest, with an index of images by name. */
export class LayoutDirectory implements BlobTarget, BlobSource {
  readonly #directory: string;
  readonly #name: string | undefined;

  /** @param name the image; without it, when reading, the only one */
  constructor(directory: string, name: string | undefined) {
    this.#directory = directory;
    this.#name = name;
  }

  /** Makes the directory of a new layout. */
  async make(): Promise<void> {
    await mkdir(join(this.#directory, 'blobs'), { mode: 0o700 });
    await mkdir(join(this.#directory, 'blobs/sha256'), { mode: 0o700 });
    const layout = JSON.stringify({ imageLayoutVersion: '1.0.0' });
    await writeFile(join(this.#directory, LAYOUT), layout, { flag: 'wx', mode: 0o600 });
  }

  async write(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<WrittenBlob> {
    const temporary = join(this.#directory, `blobs/sha256/.${builtins.crypto.randomUUID()}`);
    const digest = new Digest();
    try {
      {
        await using file = await open(temporary, 'wx', 0o600);
        for await (const chunk of digest.pass(chunks)) await file.writeFile(chunk);
        await file.sync();
      }
      const { blob } = digest;
      await rename(temporary, this.#path(blob.digest));
      return blob;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async finish(mediaType: string, content: Buffer): Promise<WrittenBlob> {
    const blob = await this.write([content]);
    const name = this.#name;
    // The second one is the whole name, of which containerd takes the first for the tag only.
    const annotations = name !== undefined && {
      ...{ [REFERENCE_NAME]: name, ...(name.includes('/') && { [CONTAINERD_NAME]: name }) },
    };
    const index = {
      schemaVersion: 2,
      mediaType: MEDIA.index,
      manifests: [{ mediaType, ...blob, ...(annotations && { annotations }) }],
    };
    const path = join(this.#directory, INDEX);
    await writeFile(path, JSON.stringify(index), { flag: 'wx', mode: 0o600 });
    return blob;
  }

  async root(): Promise<{ descriptor: Descriptor; content: Buffer }> {
    const path = join(this.#directory, INDEX);
    if ((await stat(path)).size > MAX_MANIFEST) throw new BadStream(`${INDEX} is too large`, 0);
    const { manifests = [] } = parseManifest(await readFile(path));
    const descriptor = this.#find(manifests);
    const content = await blobContent(this, descriptor);
    if (digestOf(content) !== descriptor.digest) throw new BadStream('the manifest is damaged', 0);
    return { descriptor, content };
  }

  read({ digest }: Descriptor): AsyncIterable<Buffer> {
    return chunksOfFile(this.#path(digest));
  }

  #find(manifests: readonly Descriptor[]): Descriptor {
    const names = manifests.map(
      ({ annotations }) => annotations?.[CONTAINERD_NAME] ?? annotations?.[REFERENCE_NAME],
    );
    const [only] = manifests;
    if (this.#name === undefined && only !== undefined && manifests.length === 1) return only;
    const found = manifests.find((_, index) => names[index] === this.#name);
    if (this.#name !== undefined && found !== undefined) return found;
    const known = names.filter((name) => name !== undefined).join(', ');
    throw new BadStream(
      `it has ${manifests.length} images, ${this.#name === undefined ? 'and no name is given' : `and none is ${this.#name}`}${known && ` (${known})`}`,
      0,
    );
  }

  #path(digest: string): string {
    return join(this.#directory, 'blobs', ...digest.split(':'));
  }
}
