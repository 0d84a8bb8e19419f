import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CriuError } from '../errors.ts';
import type { DumpOptions, DumpResult } from '../index.ts';
import { checkOptions, checkValue, type Shape } from '../options/check.ts';
import { overrideHooks } from '../options/hooks.ts';
import { text } from '../options/kinds.ts';
import { readMountInfo } from '../procfs/mountinfo.ts';
import { archiveCompression } from './archive/archive-options.ts';
import type { ArchiveCompression } from './archive/compression.ts';
import { createRootfsDiff } from './archive/create-rootfs-diff.ts';
import { writeCheckpointArchive } from './archive/write-archive.ts';
import type { ArchivedConfig } from './archive/write-options.ts';
import { readBundleSpec } from './bundle-config.ts';
import type { Container } from './container.ts';
import { containerFailure } from './container-failure.ts';

/** Options of {@link exportContainer}: those of a dump, and of the archive. */
export interface ExportContainerOptions extends Omit<DumpOptions, 'imagesDirectory'> {
  /** Where the images are while the archive is written. Default: the name of the archive with `.images`. */
  imagesDirectory?: string;
  /** How the archive is compressed. Default: by the end of its name. */
  compression?: ArchiveCompression;
  /** The name of the container in the archive. Default: its id. */
  name?: string;
  /** The name of the image of its root file system, by which podman finds it. Default: none. */
  image?: string;
}

/** The result of {@link exportContainer}. */
export interface ExportedContainer {
  /** The archive, and its size in bytes. */
  readonly file: string;
  readonly bytes: number;
  /** The dump. */
  readonly dump: DumpResult;
}

const own: Shape<
  Pick<ExportContainerOptions, 'imagesDirectory' | 'compression' | 'name' | 'image'>
> = {
  imagesDirectory: text,
  compression: archiveCompression,
  name: text,
  image: text,
};

/**
 * Dumps a container into a checkpoint archive, as `podman container checkpoint --export` does: with its
 * configuration, and, on overlayfs, the changes of its root file system. The images are on the disk before the
 * container ends, and are removed when the archive is complete; if it cannot be written, they stay.
 * @param file it is made with mode 0600
 * @throws CriuError as {@link Container.dump} and {@link writeCheckpointArchive} do
 */
export async function exportContainer(
  container: Container,
  file: string,
  options: ExportContainerOptions = {},
): Promise<ExportedContainer> {
  const operation = 'exportContainer';
  checkValue(operation, 'file', text, file);
  const { imagesDirectory: given, compression, name, image, ...dump } = options;
  checkOptions(
    operation,
    { imagesDirectory: given, compression, name, image } as object,
    own as object,
  );
  const imagesDirectory = given ?? `${resolve(file)}.images`;
  const spec = await readSpec(operation, container);
  const diff = (await isOverlay(container.rootfs)) ? `${imagesDirectory}.diff` : undefined;
  let deletedFiles: readonly string[] = [];
  const postDump = async (directory: string) => {
    if (diff !== undefined) ({ deletedFiles } = await createRootfsDiff(container.rootfs, diff));
    await dump.hooks?.postDump?.(directory);
  };
  try {
    const dumped = await container.dump({
      ...dump,
      imagesDirectory,
      hooks: overrideHooks(dump.hooks, { postDump }),
    });
    const { bytes } = await writeCheckpointArchive(file, {
      ...{ imagesDirectory, spec, deletedFiles },
      config: configOf(container, name, image),
      ...(diff !== undefined && { rootfsDiff: diff }),
      ...(compression && { compression }),
      ...(dump.signal && { signal: dump.signal }),
    }).catch((error: CriuError) => {
      const message = `${error.message}; the images are in ${imagesDirectory}`;
      const { code, cause, path, errno } = error;
      throw new CriuError(code, message, { operation, cause, path, errno });
    });
    if (given === undefined) await rm(imagesDirectory, { recursive: true });
    return { file, bytes, dump: dumped };
  } finally {
    if (diff !== undefined) await rm(diff, { force: true });
  }
}

function configOf({ id }: Container, name = id, image: string | undefined): ArchivedConfig {
  return { id, name, runtime: 'runc', ...(image !== undefined && { rootfsImageName: image }) };
}

async function readSpec(
  operation: string,
  { id, bundle }: Container,
): Promise<Readonly<Record<string, unknown>>> {
  if (bundle !== undefined) return await readBundleSpec(operation, id, bundle);
  throw containerFailure(operation, id, 'its runtime does not say where its bundle is');
}

async function isOverlay(rootfs: string): Promise<boolean> {
  const mounts = await readMountInfo('self');
  return mounts.some(({ point, type }) => point === rootfs && type === 'overlay');
}
