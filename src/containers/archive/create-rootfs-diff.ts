import { constants, type Stats } from 'node:fs';
import { open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CriuError } from '../../errors.ts';
import { native } from '../../native/index.ts';
import { checkOptions, checkValue } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { replaceFile } from '../../process/replaced-file.ts';
import { major, minor } from '../../procfs/device.ts';
import { readMountInfo } from '../../procfs/mountinfo.ts';
import { unescapeOctal } from '../../procfs/octal.ts';
import { isPortableAttribute } from './apply-rootfs-diff.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { pathList } from './archive-options.ts';
import { below, OpenDirectory, statIn } from './open-directory.ts';
import { PLAIN, type TarEntry, type TarEntryType } from './tar-entry.ts';
import { fileChunks, type NewTarEntry, tarOf } from './tar-writer.ts';

/** Options of {@link createRootfsDiff}. */
export interface CreateRootfsDiffOptions {
  /** The layer of overlayfs that has the changes (upperdir). Default: what the mount says. */
  upper?: string;
  /** The layers below it, the topmost first (lowerdir). Default: what the mount says. */
  lower?: readonly string[];
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

/** What {@link createRootfsDiff} has found. */
export interface RootfsDiffResult {
  /** What was removed, as absolute paths in the root file system: for `deletedFiles` of an archive. */
  readonly deletedFiles: readonly string[];
  /** How many files, directories and others the archive has. */
  readonly entries: number;
  /** Bytes of the archive. */
  readonly bytes: number;
}

const shape = {
  upper: text,
  lower: pathList,
  signal: abortSignal,
};

/**
 * Writes the changes that a container has made to its root file system, as podman puts them into a checkpoint archive.
 * Changed directories are in it too, with their owners and modes. Sockets are left out.
 * @param rootfs where the overlayfs of the container is mounted; the container must be stopped or frozen
 * @param file the tar archive to write: `rootfs-diff.tar`. It is made with mode 0600
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no mount of overlayfs, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * const { deletedFiles } = await createRootfsDiff('/run/web/merged', '/tmp/rootfs-diff.tar');
 * ```
 */
export async function createRootfsDiff(
  rootfs: string,
  file: string,
  options: CreateRootfsDiffOptions = {},
): Promise<RootfsDiffResult> {
  const operation = 'createRootfsDiff';
  checkValue(operation, 'rootfs', text, rootfs);
  checkValue(operation, 'file', text, file);
  const { upper, lower, signal } = checkOptions(operation, options, shape);
  try {
    const layers =
      upper !== undefined && lower !== undefined
        ? { upper, lower }
        : {
            ...(await layersOf(operation, rootfs)),
            ...(upper && { upper }),
            ...(lower && { lower }),
          };
    const walk = new OverlayWalk(layers.lower);
    let bytes = 0;
    await replaceFile(file, async (handle) => {
      const tar = tarOf(walk.changes(layers.upper, rootfs));
      for await (const chunk of untilAborted(operation, signal, tar)) {
        bytes += chunk.length;
        await handle.writeFile(chunk);
      }
    });
    return { deletedFiles: walk.deleted.map(shownDeleted), entries: walk.entries, bytes };
  } catch (error) {
    throw archiveFailure(operation, rootfs, error);
  }
}

/** The layers of the overlayfs that is mounted on a directory. */
async function layersOf(
  operation: string,
  rootfs: string,
): Promise<{ upper: string; lower: readonly string[] }> {
  const point = await realpath(rootfs);
  const refused = (why: string) =>
    new CriuError(
      'ERR_CRIU_INVALID_ARGUMENT',
      `${operation}: rootfs ${rootfs} ${why}: give upper and lower`,
      { operation, option: 'rootfs' },
    );
  const mount = (await readMountInfo('self')).findLast((one) => one.point === point);
  if (mount?.type !== 'overlay') throw refused('is no mount of overlayfs');
  const values = (name: string) =>
    mount.options
      .filter((option) => option.startsWith(`${name}=`))
      .map((option) => unescapeOctal(option.slice(name.length + 1)));
  const [upper] = values('upperdir');
  const lower = [...values('lowerdir').flatMap((list) => list.split(':')), ...values('lowerdir+')];
  if (upper === undefined) throw refused('cannot be written to');
  if (![upper, ...lower].every(isAbsolute)) throw refused('was mounted with relative paths');
  return { upper, lower };
}

class OverlayWalk {
  readonly #lower: readonly string[];
  /** The first path of each file with several names. */
  readonly #linked = new Map<string, string>();
  readonly deleted: string[] = [];
  entries = 0;

  constructor(lower: readonly string[]) {
    this.#lower = lower;
  }

  async *changes(upperPath: string, mergedPath: string): AsyncGenerator<NewTarEntry, void> {
    await using upper = await OpenDirectory.open(upperPath);
    await using merged = await OpenDirectory.open(mergedPath);
    yield* this.#changed(upper, merged, '');
  }

  /** What a directory of the upper layer has, with the content that all layers together give it. */
  async *#changed(
    upper: OpenDirectory,
    merged: OpenDirectory,
    directory: string,
  ): AsyncGenerator<NewTarEntry, void> {
    for (const name of (await upper.names()).sort()) {
      const path = below(directory, name);
      const found = await statIn(merged, name);
      if (found === undefined) {
        this.deleted.push(path);
        continue;
      }
      yield* this.#entry(merged, name, path);
      if (!found.isDirectory()) continue;
      await using mergedChild = await merged.child(name);
      const attributes = new Map(native().attributes(upper.at(name)));
      // The directory was renamed: most of what is in it is in a lower layer under another name.
      if (overlayAttribute(attributes, 'redirect') !== undefined) {
        yield* this.#all(mergedChild, path);
        continue;
      }
      await using upperChild = await upper.child(name);
      yield* this.#changed(upperChild, mergedChild, path);
      if (overlayAttribute(attributes, 'opaque') === 'y') await this.#hidden(mergedChild, path);
    }
  }

  async *#all(merged: OpenDirectory, directory: string): AsyncGenerator<NewTarEntry, void> {
    for (const name of (await merged.names()).sort()) {
      const path = below(directory, name);
      yield* this.#entry(merged, name, path);
      if (!(await statIn(merged, name))?.isDirectory()) continue;
      await using child = await merged.child(name);
      yield* this.#all(child, path);
    }
  }

  /** Lists what the lower layers have in a directory that hides it. */
  async #hidden(merged: OpenDirectory, path: string): Promise<void> {
    const shown = new Set(await merged.names());
    const gone = new Set<string>();
    for (const lower of this.#lower) {
      await using directory = await openExactly(lower, path);
      if (directory === undefined) continue;
      for (const name of await directory.names()) if (!shown.has(name)) gone.add(name);
    }
    for (const name of [...gone].sort()) this.deleted.push(below(path, name));
  }

  async *#entry(
    merged: OpenDirectory,
    name: string,
    path: string,
  ): AsyncGenerator<NewTarEntry, void> {
    const stats = await statIn(merged, name);
    const type = stats && typeOf(stats);
    if (stats === undefined || type === undefined) return;
    this.entries += 1;
    const id = `${stats.dev}:${stats.ino}`;
    const first = stats.nlink > 1 && type !== 'directory' ? this.#linked.get(id) : undefined;
    const entry = entryOf(merged, name, path, type, stats);
    if (first !== undefined) {
      yield { entry: { ...entry, type: 'link', target: first, size: 0, attributes: new Map() } };
      return;
    }
    if (stats.nlink > 1) this.#linked.set(id, path);
    if (type === 'symlink') {
      const target = await readlink(merged.at(name), { encoding: 'buffer' });
      yield { entry: { ...entry, target: target.toString('latin1') } };
    } else if (type === 'file') {
      await using file = await open(merged.at(name), constants.O_RDONLY | constants.O_NOFOLLOW);
      const { size } = await file.stat();
      yield { entry: { ...entry, size }, content: fileChunks(file, size) };
    } else {
      yield { entry };
    }
  }
}

function entryOf(
  directory: OpenDirectory,
  name: string,
  path: string,
  type: TarEntryType,
  stats: Stats,
): TarEntry {
  const isDevice = type === 'character' || type === 'block';
  const attributes = native().attributes(directory.at(name));
  return {
    ...PLAIN,
    type,
    path: type === 'directory' ? `${path}/` : path,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedMs: Math.floor(stats.mtimeMs),
    major: isDevice ? major(stats.rdev) : 0,
    minor: isDevice ? minor(stats.rdev) : 0,
    attributes: new Map(attributes.filter(([attribute]) => isPortableAttribute(attribute))),
  };
}

function typeOf(stats: Stats): TarEntryType | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character';
  return stats.isBlockDevice() ? 'block' : undefined;
}

/** Of a mount by root, or one with the option userxattr. */
function overlayAttribute(
  attributes: ReadonlyMap<string, Buffer>,
  name: string,
): string | undefined {
  const value = attributes.get(`trusted.overlay.${name}`) ?? attributes.get(`user.overlay.${name}`);
  return value?.toString('latin1');
}

/** Opens a directory below another one without following links; undefined if there is none. */
async function openExactly(root: string, path: string): Promise<OpenDirectory | undefined> {
  let directory = await OpenDirectory.open(root);
  for (const name of path.split('/')) {
    await using parent = directory;
    const found = await statIn(parent, name);
    if (!found?.isDirectory()) return undefined;
    directory = await parent.child(name);
  }
  return directory;
}

function shownDeleted(path: string): string {
  return `/${Buffer.from(path, 'latin1')}`;
}
