import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkValue } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import type { UnpackedCheckpointArchive } from '../archive/archive-description.ts';
import { archiveFailure } from '../archive/archive-failure.ts';
import {
  directorySink,
  freeSpace,
  readCheckpointArchive,
  unpackInto,
} from '../archive/read-archive.ts';
import {
  type PullImageOptions,
  type PushImageOptions,
  pullImageOptions,
  pushImageOptions,
  type ReadImageOptions,
  readImageOptions,
  type WriteImageOptions,
  writeImageOptions,
} from './image-options.ts';
import { inTemporary, makeLayout, withLayout } from './layouts.ts';
import { Registry } from './registry.ts';
import { parseReference } from './registry-reference.ts';
import { unpackImage } from './unpack-image.ts';
import { writeContainerdImage } from './write-containerd-image.ts';
import { writeImage } from './write-image.ts';

/** An image of a checkpoint that was written. */
export interface CheckpointImage {
  /** The digest of its manifest, by which a registry knows it: `sha256:…`. */
  readonly digest: string;
}

/**
 * Makes an OCI image of a checkpoint archive, in a new layout. Its annotations say to podman, CRI-O and others that it
 * is a checkpoint, so that `podman container restore` restores it.
 * @param archive the file of the archive, or the directory that it was unpacked into
 * @param layout a directory that does not exist yet, or is empty; or a file that ends with `.tar`
 * @throws CriuError ERR_CRIU_BAD_IMAGE if the archive is damaged, ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if zstd
 * is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * await writeCheckpointImage('web.tar.zst', '/var/tmp/web-image', { name: 'web:latest' });
 * ```
 */
export async function writeCheckpointImage(
  archive: string,
  layout: string,
  options: WriteImageOptions = {},
): Promise<CheckpointImage> {
  const operation = 'writeCheckpointImage';
  checkValue(operation, 'archive', text, archive);
  checkValue(operation, 'layout', text, layout);
  const { name, format, content } = writeImageOptions(operation, options);
  try {
    return await makeLayout(operation, layout, name, async (target) => {
      const { digest } =
        format === 'containerd'
          ? await inDirectory(archive, dirname(layout), (directory) =>
              writeContainerdImage(operation, directory, target, content),
            )
          : await writeImage(operation, archive, target, content);
      return { digest };
    });
  } catch (error) {
    throw archiveFailure(operation, archive, error);
  }
}

/** Unpacks an archive for as long as it is used. */
async function inDirectory<T>(
  archive: string,
  beside: string,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  if ((await stat(archive)).isDirectory()) return await use(archive);
  return await inTemporary(beside, async (directory) => {
    const unpacked = await readCheckpointArchive(archive, directory);
    return await use(unpacked.directory);
  });
}

/**
 * Unpacks the image of a checkpoint: one that podman, CRI-O or this library has made, or an index of containerd
 * (`ctr containers checkpoint --task`). It is as defensive as {@link readCheckpointArchive}, and verifies all digests.
 * @param layout a directory, or a tar archive of it, as `skopeo copy` and `ctr images export` write them
 * @param target a directory that does not exist yet, or is empty
 * @throws CriuError ERR_CRIU_BAD_IMAGE if the image is damaged, hostile, too large, or no checkpoint of a container;
 * ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if zstd is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * const { imagesDirectory } = await readCheckpointImage('/var/tmp/web-image', '/var/lib/unpacked/web');
 * ```
 */
export async function readCheckpointImage(
  layout: string,
  target: string,
  options: ReadImageOptions = {},
): Promise<UnpackedCheckpointArchive> {
  const operation = 'readCheckpointImage';
  checkValue(operation, 'layout', text, layout);
  checkValue(operation, 'target', text, target);
  const { name, maxBytes, maxEntries, signal } = readImageOptions(operation, options);
  return await unpackInto(operation, layout, target, async (directory, facts) => {
    const limits = { maxBytes: maxBytes ?? (await freeSpace(directory)), maxEntries };
    const unpacking = { limits, facts, sink: directorySink(directory), signal };
    const beside = { beside: dirname(directory), limits, signal };
    await withLayout(operation, layout, name, beside, (source) =>
      unpackImage(operation, source, unpacking),
    );
  });
}

/**
 * Makes an OCI image of a checkpoint archive, as {@link writeCheckpointImage} does, in a registry. Nothing is stored on
 * this host meanwhile.
 * @param archive the file of the archive, or the directory that it was unpacked into
 * @param reference `HOST[:PORT]/REPOSITORY[:TAG]`; the tag is by default `latest`
 * @throws CriuError ERR_CRIU_REGISTRY if the registry refuses, or does not answer; and as {@link writeCheckpointImage}
 * @example
 * ```ts
 * const auth = { username: 'me', password };
 * const { digest } = await pushCheckpointImage('web.tar.zst', 'registry.example/web:1', { auth });
 * ```
 */
export async function pushCheckpointImage(
  archive: string,
  reference: string,
  options: PushImageOptions = {},
): Promise<CheckpointImage> {
  const operation = 'pushCheckpointImage';
  checkValue(operation, 'archive', text, archive);
  const { content, auth, plainHttp, signal } = pushImageOptions(operation, options);
  const parsed = parseReference(operation, reference, plainHttp);
  const registry = new Registry(operation, parsed, { auth, signal });
  try {
    const { digest } = await writeImage(operation, archive, registry, content);
    return { digest };
  } catch (error) {
    throw archiveFailure(operation, archive, error);
  }
}

/**
 * Unpacks the image of a checkpoint from a registry, as {@link readCheckpointImage} does.
 * @param reference `HOST[:PORT]/REPOSITORY[:TAG]`, or with `@sha256:…` instead of the tag
 * @param target a directory that does not exist yet, or is empty
 * @throws CriuError ERR_CRIU_REGISTRY if the registry refuses, or does not answer; and as {@link readCheckpointImage}
 * @example
 * ```ts
 * const { imagesDirectory } = await pullCheckpointImage('registry.example/web:1', '/var/lib/unpacked/web');
 * ```
 */
export async function pullCheckpointImage(
  reference: string,
  target: string,
  options: PullImageOptions = {},
): Promise<UnpackedCheckpointArchive> {
  const operation = 'pullCheckpointImage';
  checkValue(operation, 'target', text, target);
  const { maxBytes, maxEntries, auth, plainHttp, signal } = pullImageOptions(operation, options);
  const parsed = parseReference(operation, reference, plainHttp);
  const registry = new Registry(operation, parsed, { auth, signal });
  return await unpackInto(operation, reference, target, async (directory, facts) => {
    const limits = { maxBytes: maxBytes ?? (await freeSpace(directory)), maxEntries };
    const unpacking = { limits, facts, sink: directorySink(directory) };
    await unpackImage(operation, registry, unpacking);
  });
}
