import { stat } from 'node:fs/promises';
import { untilAborted } from '../archive/archive-failure.ts';
import { type ArchiveCompression, compressed, decompressed } from '../archive/compression.ts';
import { inspectCheckpointArchive } from '../archive/inspect-archive.ts';
import { packedMembers } from '../archive/packed-members.ts';
import { chunksOfFile, tarOf } from '../archive/tar-writer.ts';
import { type BlobTarget, Digest, type WrittenBlob } from './blobs.ts';
import { architecture, checkpointAnnotations } from './image-annotations.ts';
import { MEDIA } from './oci-types.ts';

/** How an image of a checkpoint is made. */
export interface ImageContent {
  readonly compression: ArchiveCompression;
  /** More annotations, or others. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

const SUFFIX = { none: '', gzip: '+gzip', zstd: '+zstd' } as const;

/**
 * Makes an image of a checkpoint archive: its members are the only layer, and annotations say what it is.
 * @param archive the file, or the directory that it was unpacked into
 */
export async function writeImage(
  operation: string,
  archive: string,
  target: BlobTarget,
  { compression, annotations, signal }: ImageContent,
): Promise<WrittenBlob> {
  const facts = await inspectCheckpointArchive(archive, { ...(signal && { signal }) });
  const isDirectory = (await stat(archive)).isDirectory();
  const tar = isDirectory
    ? tarOf(packedMembers(operation, archive))
    : (await decompressed(operation, chunksOfFile(archive))).plain;
  const plain = new Digest();
  const passed = plain.pass(untilAborted(operation, signal, tar));
  const layer = await target.write(compressed(operation, passed, compression));
  const config = json({
    created: facts.checkpointedAt ?? new Date().toISOString(),
    ...{ architecture: architecture(), os: 'linux', config: {} },
    rootfs: { type: 'layers', diff_ids: [plain.blob.digest] },
    history: [{ comment: 'checkpoint of a container' }],
  });
  const configuration = await target.write([config]);
  const manifest = json({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, ...configuration },
    layers: [{ mediaType: `${MEDIA.layer}${SUFFIX[compression]}`, ...layer }],
    annotations: { ...(await checkpointAnnotations(facts)), ...annotations },
  });
  return await target.finish(MEDIA.manifest, manifest);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
