import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asCriuError, CriuError, invalid } from '../../errors.ts';
import { INVENTORY } from '../../images/image-names.ts';
import { anyObject, check, checkOptions, checkValue, required } from '../../options/check.ts';
import { oneOf, text } from '../../options/kinds.ts';
import { replaceFile } from '../../process/replaced-file.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { DELETED_FILES, IMAGES, ROOTFS_DIFF } from './archive-members.ts';
import { abortSignal } from './archive-options.ts';
import { type ArchiveCompression, compressed, compressionOf } from './compression.ts';
import { membersIn } from './inspect-archive.ts';
import { PLAIN } from './tar-entry.ts';
import { chunksOfFile, type NewTarEntry, tarOf } from './tar-writer.ts';

/** How an archive is written. */
export interface ArchiveOutput {
  /** How it is compressed. Default: by the end of the file's name, `.gz`, `.tgz`, `.zst`, `.zstd` or `.tzst`; else not. */
  compression?: ArchiveCompression;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

/** What a new archive is made of. */
export interface NewCheckpointArchive extends ArchiveOutput {
  /** CRIU's images of the container. */
  imagesDirectory: string;
  /**
   * The specification of the container: `spec.dump`. Podman restores the container with it; it gets the annotation
   * `io.container.manager: libpod` unless it names another manager.
   */
  spec: Readonly<Record<string, unknown>>;
  /**
   * The configuration of the container: `config.dump`. Podman needs `id`, `name`, `rootfsImageID`,
   * `rootfsImageName`, `runtime` and `ShmDir`.
   */
  config: ArchivedConfig;
  /** Its networks, as podman writes them: `network.status`. Default: none. */
  networkStatus?: Readonly<Record<string, unknown>>;
  /** A tar archive of the changes of its root file system, as {@link createRootfsDiff} makes it. Default: none. */
  rootfsDiff?: string;
  /** What was removed from its root file system. Default: nothing. */
  deletedFiles?: readonly string[];
  /** A tar archive of its /dev/shm. Default: none. */
  devShm?: string;
  /** Its log. Default: none. */
  log?: string;
}

/** The configuration of a container in an archive. An engine may add properties of its own. */
export interface ArchivedConfig {
  /** The id of the container. */
  readonly id: string;
  /** The name of the container. */
  readonly name: string;
  /** The id of the image of its root file system. */
  readonly rootfsImageID?: string;
  /** The name of that image, by which podman finds or pulls it. */
  readonly rootfsImageName?: string;
  /** The OCI runtime, such as `runc`. */
  readonly runtime?: string;
  /** Others. */
  readonly [name: string]: unknown;
}

/** An archive that was unpacked, and is packed again. */
export interface RepackedCheckpointArchive extends ArchiveOutput {
  /** The directory that {@link readCheckpointArchive} has made. */
  directory: string;
}

const output = {
  compression: oneOf({ none: 'none', gzip: 'gzip', zstd: 'zstd' }),
  signal: abortSignal,
};
const texts = check(
  'a list of paths',
  (value) => Array.isArray(value) && value.every(text.accepts),
);

/**
 * Writes the checkpoint archive of a container, which `podman container restore --import` and CRI-O restore.
 * @param file it is made with mode 0600, and appears or is replaced when it is complete
 * @param options what it is made of: images and metadata, or the directory of an archive that was unpacked
 * @returns how many bytes it has
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_BAD_IMAGE if there are no images, ERR_CRIU_NOT_FOUND if zstd
 * is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * await writeCheckpointArchive('web.tar.gz', { imagesDirectory, spec, config: { id, name: 'web' } });
 * await writeCheckpointArchive('web.tar.zst', { directory: '/var/lib/unpacked/web' });
 * ```
 */
export async function writeCheckpointArchive(
  file: string,
  options: NewCheckpointArchive | RepackedCheckpointArchive,
): Promise<{ readonly bytes: number }> {
  const operation = 'writeCheckpointArchive';
  checkValue(operation, 'file', text, file);
  const { compression = compressionOf(file), signal, members } = read(operation, options);
  let bytes = 0;
  try {
    await replaceFile(file, async (handle) => {
      const tar = untilAborted(operation, signal, tarOf(members()));
      for await (const chunk of compressed(operation, tar, compression)) {
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }
      await handle.sync();
    });
  } catch (error) {
    throw archiveFailure(operation, file, error);
  }
  return { bytes };
}

/** What an archive consists of, as its options say. */
function read(operation: string, options: NewCheckpointArchive | RepackedCheckpointArchive) {
  if (typeof options === 'object' && options !== null && 'directory' in options) {
    const shape = { ...output, directory: required(text) };
    const checked = checkOptions<RepackedCheckpointArchive>(operation, options, shape);
    return { ...checked, members: () => packedMembers(operation, checked.directory) };
  }
  const checked = checkOptions<NewCheckpointArchive>(operation, options, {
    ...output,
    imagesDirectory: required(text),
    spec: required(anyObject),
    config: required(anyObject),
    networkStatus: anyObject,
    rootfsDiff: text,
    deletedFiles: texts,
    devShm: text,
    log: text,
  });
  for (const name of ['id', 'name'] as const) {
    const value = checked.config[name];
    if (!text.accepts(value)) throw invalid(operation, `config.${name}`, text.takes, value);
  }
  return { ...checked, members: () => newMembers(operation, checked) };
}

/** The members of an archive that is made of images and metadata. */
export async function* newMembers(
  operation: string,
  options: Omit<NewCheckpointArchive, keyof ArchiveOutput>,
): AsyncGenerator<NewTarEntry, void> {
  const { imagesDirectory, spec, config, deletedFiles = [], networkStatus } = options;
  yield json('config.dump', config);
  yield json('spec.dump', withManager(spec));
  yield json('network.status', networkStatus ?? null);
  yield { entry: { ...PLAIN, type: 'directory', path: `${IMAGES}/`, mode: 0o700 } };
  const names = (await readdir(imagesDirectory)).sort();
  if (!names.includes(INVENTORY)) throw noImages(operation, imagesDirectory);
  if (names.includes('parent')) {
    const message = `${operation}: the images in ${imagesDirectory} need those of a parent: merge them first (mergeImages)`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation });
  }
  // Podman has the statistics and the log beside the images.
  const besides = new Map([
    ['stats-dump', 'stats-dump'],
    ['dump.log', 'dump.log'],
  ]);
  for (const name of names) {
    const path = join(imagesDirectory, name);
    if (!(await lstat(path)).isFile()) continue;
    yield await member(besides.get(name) ?? `${IMAGES}/${name}`, path);
  }
  if (options.rootfsDiff !== undefined) yield await member(ROOTFS_DIFF, options.rootfsDiff);
  if (deletedFiles.length > 0) yield json(DELETED_FILES, deletedFiles);
  if (options.devShm !== undefined) yield await member('devshm-checkpoint.tar', options.devShm);
  if (options.log !== undefined) yield await member('ctr.log', options.log);
}

/** The members of an archive that was unpacked. */
export async function* packedMembers(
  operation: string,
  directory: string,
): AsyncGenerator<NewTarEntry, void> {
  const names = await membersIn(directory);
  if (!names.includes(`${IMAGES}/${INVENTORY}`)) throw noImages(operation, join(directory, IMAGES));
  const made = new Set<string>();
  for (const name of names) {
    const above = name.includes('/') ? name.slice(0, name.indexOf('/') + 1) : undefined;
    if (above !== undefined && !made.has(above)) {
      made.add(above);
      yield { entry: { ...PLAIN, type: 'directory', path: above, mode: 0o700 } };
    }
    yield await member(name, join(directory, name));
  }
  if (!made.has('pre-checkpoint/')) return;
  const link = { type: 'symlink', path: `${IMAGES}/parent`, target: '../pre-checkpoint' } as const;
  yield { entry: { ...PLAIN, ...link, mode: 0o777 } };
}

async function member(name: string, path: string): Promise<NewTarEntry> {
  try {
    await using file = await open(path);
    const { size, mtimeMs } = await file.stat();
    const entry = { ...PLAIN, path: name, size, modifiedMs: Math.floor(mtimeMs / 1000) * 1000 };
    return { entry, content: chunksOfFile(path, size) };
  } catch (error) {
    throw asCriuError('writeCheckpointArchive', error);
  }
}

function json(name: string, value: unknown): NewTarEntry {
  const content = Buffer.from(JSON.stringify(value, null, 2));
  const modifiedMs = Math.floor(Date.now() / 1000) * 1000;
  return { entry: { ...PLAIN, path: name, size: content.length, modifiedMs }, content: [content] };
}

function withManager(spec: Readonly<Record<string, unknown>>): unknown {
  const annotations = { 'io.container.manager': 'libpod', ...(spec.annotations ?? {}) };
  return { ...spec, annotations };
}

function noImages(operation: string, directory: string): CriuError {
  const message = `${operation}: ${directory} has no ${INVENTORY}`;
  return new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation });
}
