import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { invalid } from '../errors.ts';
import type { Criu } from '../index.ts';
import { checkOptions, checkValue, required, type Shape } from '../options/check.ts';
import { text } from '../options/kinds.ts';
import { applyRootfsDiff } from './archive/apply-rootfs-diff.ts';
import type { UnpackedCheckpointArchive } from './archive/archive-description.ts';
import { type ArchiveSource, archiveSource } from './archive/archive-options.ts';
import { readCheckpointArchive } from './archive/read-archive.ts';
import { restoreContainer } from './restore-container.ts';
import type { RestoreContainerOptions } from './restore-options.ts';
import type { RestoredContainer } from './restored-container.ts';

/** Options of {@link importContainer}: those of {@link restoreContainer}, and what an archive needs. */
export interface ImportContainerOptions
  extends Omit<RestoreContainerOptions, 'id' | 'bundle' | 'imagesDirectory'> {
  /** Where the archive is unpacked: a directory that does not exist yet, or is empty. It stays. */
  directory: string;
  /** The id of the restored container. Default: that in the archive. */
  id?: string;
  /** A bundle for the container, with its root file system. Default: one is made of the archive and `rootfs`. */
  bundle?: string;
  /**
   * The root file system of the image of the container, as its processes expect it, which nothing else uses: the
   * changes in the archive are applied to it.
   */
  rootfs?: string;
}

const own: Shape<Pick<ImportContainerOptions, 'directory' | 'bundle' | 'rootfs' | 'id'>> = {
  directory: required(text),
  bundle: text,
  rootfs: text,
  id: text,
};

/**
 * Restores a container from a checkpoint archive: of {@link exportContainer}, podman or CRI-O.
 * @throws CriuError as {@link readCheckpointArchive}, {@link applyRootfsDiff} and {@link restoreContainer} do
 */
export async function importContainer(
  criu: Criu,
  archive: ArchiveSource,
  options: ImportContainerOptions,
): Promise<RestoredContainer> {
  const operation = 'importContainer';
  checkValue(operation, 'archive', archiveSource, archive);
  const { directory, bundle, rootfs, id, ...restore } = options;
  checkOptions(operation, { directory, bundle, rootfs, id } as object, own as object);
  if ((bundle === undefined) === (rootfs === undefined)) {
    throw invalid(operation, 'rootfs', 'a directory, unless there is a bundle', rootfs);
  }
  const { signal } = restore;
  const unpacked = await readCheckpointArchive(archive, directory, { ...(signal && { signal }) });
  const name = id ?? unpacked.container.id;
  if (name === undefined) {
    throw invalid(operation, 'id', 'the id of the container, which the archive does not have', id);
  }
  if (rootfs !== undefined) {
    await applyRootfsDiff(rootfs, unpacked.rootfsDiff, unpacked.deletedFiles);
  }
  return await restoreContainer(criu, {
    ...restore,
    id: name,
    imagesDirectory: unpacked.imagesDirectory,
    bundle: bundle ?? (await makeBundle(unpacked, rootfs as string)),
  });
}

/** A bundle with the specification in the archive, and another root file system. */
async function makeBundle(
  { directory }: UnpackedCheckpointArchive,
  rootfs: string,
): Promise<string> {
  const spec = JSON.parse(await readFile(join(directory, 'spec.dump'), 'utf8'));
  const bundle = join(directory, 'bundle');
  await mkdir(bundle, { mode: 0o700 });
  const config = { ...spec, root: { ...spec.root, path: resolve(rootfs) } };
  await writeFile(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  return bundle;
}
