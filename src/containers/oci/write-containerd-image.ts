import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { endOfArchive } from '../../stream/tar.ts';
import { untilAborted } from '../archive/archive-failure.ts';
import { IMAGES, plainPath } from '../archive/archive-members.ts';
import { compressed, decompressed } from '../archive/compression.ts';
import { inspectCheckpointArchive } from '../archive/inspect-archive.ts';
import { splitPath } from '../archive/open-directory.ts';
import { encodeEntryHeader, PLAIN } from '../archive/tar-entry.ts';
import { chunksOfFile, type NewTarEntry, tarOf } from '../archive/tar-writer.ts';
import type { BlobTarget, WrittenBlob } from './blobs.ts';
import { anyOf } from './containerd-spec.ts';
import { architecture } from './image-annotations.ts';
import { MEDIA, REFERENCE_NAME } from './oci-types.ts';
import type { ImageContent } from './write-image.ts';

/**
 * Makes an index as `ctr containers checkpoint --task --rw` does, which `ctr containers restore --live --rw` restores:
 * blobs of CRIU's images, of the specification, and of the changes of the root file system.
 * @param directory an archive that was unpacked
 */
export async function writeContainerdImage(
  operation: string,
  directory: string,
  target: BlobTarget,
  { annotations, signal }: ImageContent,
): Promise<WrittenBlob> {
  const facts = await inspectCheckpointArchive(directory);
  const platform = { architecture: architecture(), os: 'linux' };
  const images = await target.write(
    untilAborted(operation, signal, tarOf(imagesIn(join(directory, IMAGES)))),
  );
  const spec = await target.write([anyOf(Buffer.from(JSON.stringify(facts.spec ?? {})))]);
  const diff = facts.rootfsDiffBytes === undefined ? undefined : join(directory, 'rootfs-diff.tar');
  const changes = untilAborted(operation, signal, layerOf(operation, diff, facts.deletedFiles));
  const layer = await target.write(compressed(operation, changes, 'gzip'));
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [
      { mediaType: MEDIA.containerdImages, ...images, platform },
      { mediaType: MEDIA.containerdSpec, ...spec, platform },
      { mediaType: `${MEDIA.layer}+gzip`, ...layer, platform },
    ],
    annotations: {
      ...(facts.image.name !== undefined && { [REFERENCE_NAME]: facts.image.name }),
      'io.containerd.checkpoint.runtime': 'io.containerd.runc.v2',
      'io.containerd.checkpoint.snapshotter': 'overlayfs',
      ...annotations,
    },
  };
  return await target.finish(MEDIA.index, Buffer.from(JSON.stringify(index)));
}

async function* imagesIn(directory: string): AsyncGenerator<NewTarEntry, void> {
  for (const name of (await readdir(directory)).sort()) {
    const { size } = await stat(join(directory, name));
    const content = chunksOfFile(join(directory, name), size);
    yield { entry: { ...PLAIN, path: basename(name), size }, content };
  }
}

/** The layer of an image with these changes: a file that was removed is named `.wh.NAME`. */
async function* layerOf(
  operation: string,
  diff: string | undefined,
  deletedFiles: readonly string[],
): AsyncGenerator<Buffer, void> {
  for (const deleted of deletedFiles) {
    const path = plainPath(Buffer.from(deleted).toString('latin1').replace(/^\/+/, ''));
    const { above, name } = splitPath(path);
    const whiteout = `${above}${above && '/'}.wh.${name}`;
    yield encodeEntryHeader({ ...PLAIN, path: whiteout });
  }
  if (diff === undefined) yield endOfArchive();
  else yield* (await decompressed(operation, chunksOfFile(diff))).plain;
}
