import { BadStream } from '../../stream/byte-input.ts';
import { decompressed } from '../archive/compression.ts';
import { type Unpacking, unpackArchive } from '../archive/read-archive.ts';
import { type BlobSource, blobContent, parseManifest, verifiedBlob } from './blobs.ts';
import { specOf } from './containerd-spec.ts';
import { architecture } from './image-annotations.ts';
import {
  type Descriptor,
  isIndex,
  isManifest,
  type ManifestOrIndex,
  MEDIA,
  REFERENCE_NAME,
} from './oci-types.ts';

/** How deep an index may lead to others. */
const MAX_DEPTH = 3;

/**
 * Gives the members of an image of a checkpoint to a sink: of one with a single layer, as podman, CRI-O and this
 * library make it, or of an index of containerd.
 * @throws BadStream if it is damaged, or no checkpoint
 */
export async function unpackImage(
  operation: string,
  source: BlobSource,
  unpacking: Unpacking,
): Promise<void> {
  const { descriptor, content } = await source.root();
  await new ImageReading(operation, source, unpacking).image(descriptor, content, 0);
}

class ImageReading {
  readonly #operation: string;
  readonly #source: BlobSource;
  readonly #unpacking: Unpacking;

  constructor(operation: string, source: BlobSource, unpacking: Unpacking) {
    this.#operation = operation;
    this.#source = source;
    this.#unpacking = unpacking;
  }

  async image(descriptor: Descriptor, content: Buffer, depth: number): Promise<void> {
    const manifest = parseManifest(content);
    this.#unpacking.facts.annotations = manifest.annotations ?? {};
    if (isManifest(descriptor)) return await this.#layer(manifest);
    if (!isIndex(descriptor)) throw new BadStream(`it is ${descriptor.mediaType}, no image`, 0);
    const { manifests = [] } = manifest;
    if (manifests.some(({ mediaType }) => mediaType === MEDIA.containerdImages)) {
      return await this.#containerd(manifest, manifests);
    }
    const images = manifests.filter((one) => isManifest(one) || isIndex(one));
    const [first] = images;
    const chosen =
      images.find(({ platform }) => platform?.architecture === architecture()) ?? first;
    if (chosen === undefined || depth >= MAX_DEPTH) throw new BadStream('it has no image', 0);
    await this.image(chosen, await blobContent(this.#source, chosen), depth + 1);
  }

  async #layer({ layers = [] }: ManifestOrIndex): Promise<void> {
    const [layer] = layers;
    if (layer === undefined || layers.length > 1) {
      throw new BadStream(`it has ${layers.length} layers, where a checkpoint has one`, 0);
    }
    await unpackArchive(this.#operation, verifiedBlob(this.#source, layer), this.#unpacking);
  }

  /** The index has blobs of the images, of the specification, and of the changes of the root file system. */
  async #containerd(index: ManifestOrIndex, blobs: readonly Descriptor[]): Promise<void> {
    const blob = (mediaType: string) => blobs.find((one) => one.mediaType === mediaType);
    const images = blob(MEDIA.containerdImages);
    if (images === undefined) return;
    const bytes = verifiedBlob(this.#source, images);
    await unpackArchive(this.#operation, bytes, { ...this.#unpacking, within: 'checkpoint/' });
    const spec = blob(MEDIA.containerdSpec);
    if (spec !== undefined) {
      await this.#member('spec.dump', specOf(await blobContent(this.#source, spec)));
    }
    const { annotations = {} } = index;
    const config = {
      // Its specifications do not say so.
      manager: 'containerd',
      rootfsImageName: annotations[REFERENCE_NAME] ?? annotations['image.name'],
      runtime: annotations['io.containerd.checkpoint.runtime'],
    };
    await this.#member('config.dump', Buffer.from(JSON.stringify(config)));
    const changes = blob(`${MEDIA.layer}+gzip`) ?? blob(MEDIA.layer) ?? blob(`${MEDIA.layer}+zstd`);
    if (changes === undefined) return;
    const { plain } = await decompressed(this.#operation, verifiedBlob(this.#source, changes));
    await this.#diff(plain);
  }

  async #member(name: string, content: Buffer): Promise<void> {
    const { facts, sink } = this.#unpacking;
    facts.members.push({ name, bytes: content.length });
    facts.keep(name, content);
    await sink.file(name, chunksOf([content]));
  }

  /** The changes stay packed, but not compressed: their size is known at the end. */
  async #diff(plain: AsyncIterable<Buffer>): Promise<void> {
    const { facts, sink, limits } = this.#unpacking;
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of plain) {
        bytes += chunk.length;
        if (bytes > limits.maxBytes) {
          throw new BadStream(`it has more than ${limits.maxBytes} bytes (maxBytes)`, 0);
        }
        yield chunk;
      }
    };
    await sink.file('rootfs-diff.tar', counted());
    facts.members.push({ name: 'rootfs-diff.tar', bytes });
  }
}

async function* chunksOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* chunks;
}
