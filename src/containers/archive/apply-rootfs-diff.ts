import { constants } from 'node:fs';
import { chmod, lchown, link, lutimes, mkdir, open, readFile, symlink } from 'node:fs/promises';
import { native } from '../../native/index.ts';
import { check, checkOptions, checkValue, either } from '../../options/check.ts';
import { flag, integer, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { plainPath, shownPath } from './archive-members.ts';
import { type ArchiveSource, archiveSource } from './archive-options.ts';
import { decompressed } from './compression.ts';
import { type OpenDirectory, openInRoot, splitPath, statIn } from './open-directory.ts';
import { freeSpace, shownSource } from './read-archive.ts';
import type { TarEntry } from './tar-entry.ts';
import { readTar } from './tar-reader.ts';
import { chunksOfFile } from './tar-writer.ts';

/** Options of {@link applyRootfsDiff}. */
export interface ApplyRootfsDiffOptions {
  /**
   * Make the devices that are in the archive. A device gives access to a disk, for example, to whoever can open it in
   * the root file system. Default false: an archive with a device is refused.
   */
  devices?: boolean;
  /** The most bytes that its files may have. Default: the free space of the file system. */
  maxBytes?: number;
  /** The most entries that it may have. Default 1 000 000. */
  maxEntries?: number;
  /** Cancels the operation with ERR_CRIU_ABORTED. */
  signal?: AbortSignal;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const MAX_ENTRIES = 1_000_000;
/** How layers of OCI images say that a file was removed. Source: the OCI image specification, layer.md. */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

const shape = {
  devices: flag,
  maxBytes: integer(0, Number.MAX_SAFE_INTEGER),
  maxEntries: integer(1, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};
const paths = check(
  'a list of paths',
  (value) => Array.isArray(value) && value.every((path) => typeof path === 'string'),
);
const deletions = either(text, paths);

/**
 * Applies the changes that a container has made to its root file system. Nothing outside of it is changed: links are
 * followed as if it was `/`. Set-user-ID bits, owners, times and the attributes `security.capability` and `user.*` are
 * those in the archive; other attributes are ignored. Whiteouts of overlayfs and of layers of OCI images remove what
 * they name. Nobody else may change the directory meanwhile. If it fails, the changes are there in part.
 * @param rootfs the directory
 * @param source a tar archive, which may be compressed: `rootfs-diff.tar`; undefined if there is none
 * @param deletedFiles what to remove after that: paths, or the file `deleted.files`
 * @throws CriuError ERR_CRIU_BAD_IMAGE if the archive is damaged, hostile, too large or has a device;
 * ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if zstd is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * const { rootfsDiff, deletedFiles } = await readCheckpointArchive('web.tar', '/var/lib/unpacked/web');
 * await applyRootfsDiff('/var/lib/containers/web/rootfs', rootfsDiff, deletedFiles);
 * ```
 */
export async function applyRootfsDiff(
  rootfs: string,
  source: ArchiveSource | undefined,
  deletedFiles: readonly string[] | string = [],
  options: ApplyRootfsDiffOptions = {},
): Promise<void> {
  const operation = 'applyRootfsDiff';
  checkValue(operation, 'rootfs', text, rootfs);
  if (source !== undefined) checkValue(operation, 'source', archiveSource, source);
  checkValue(operation, 'deletedFiles', deletions, deletedFiles);
  const checked = checkOptions<ApplyRootfsDiffOptions>(operation, options, shape);
  const { devices = false, maxEntries = MAX_ENTRIES, signal } = checked;
  try {
    if (source !== undefined) {
      const limits = { maxBytes: checked.maxBytes ?? (await freeSpace(rootfs)), maxEntries };
      const chunks = typeof source === 'string' ? chunksOfFile(source) : source;
      const aborted = untilAborted(operation, signal, chunks);
      const { plain } = await decompressed(operation, aborted);
      const diff = new RootfsDiff(rootfs, devices);
      await readTar(plain, limits, (entry, content) => diff.apply(entry, content));
      await diff.finish();
    }
    for (const path of await listOf(deletedFiles)) await removeInRoot(rootfs, path);
  } catch (error) {
    throw archiveFailure(operation, source === undefined ? rootfs : shownSource(source), error);
  }
}

async function listOf(deletedFiles: readonly string[] | string): Promise<readonly string[]> {
  if (typeof deletedFiles !== 'string') return deletedFiles;
  const content = await readFile(deletedFiles, 'utf8');
  try {
    const list: unknown = JSON.parse(content);
    if (paths.accepts(list)) return list as string[];
  } catch {}
  throw new BadStream(`${deletedFiles} is not a list of paths`, 0);
}

async function removeInRoot(rootfs: string, deleted: string): Promise<void> {
  const path = plainPath(Buffer.from(deleted).toString('latin1').replace(/^\/+/, ''));
  if (path === '') throw new BadStream('the root itself is to be removed', 0);
  const { above, name } = splitPath(path);
  await using parent = await openInRoot(rootfs, above);
  await parent?.remove(name);
}

class RootfsDiff {
  readonly #rootfs: string;
  readonly #devices: boolean;
  /** What is made last: it changes whenever something is made in a directory. */
  readonly #directories: TarEntry[] = [];

  constructor(rootfs: string, devices: boolean) {
    this.#rootfs = rootfs;
    this.#devices = devices;
  }

  async apply(entry: TarEntry, content: AsyncIterable<Buffer>): Promise<void> {
    const path = plainPath(entry.path);
    if (path === '') {
      if (entry.type === 'directory') this.#directories.push({ ...entry, path });
      return;
    }
    const { above, name } = splitPath(path);
    await using parent = await this.#parent(above);
    if (name === OPAQUE) {
      for (const inner of await parent.names()) await parent.remove(inner);
    } else if (name.startsWith(WHITEOUT)) {
      await parent.remove(nameIn(name.slice(WHITEOUT.length)));
    } else if (isWhiteout(entry)) {
      await parent.remove(name);
    } else {
      await this.#replace(parent, name, { ...entry, path }, content);
    }
  }

  /** Sets the owners, modes and times of directories. */
  async finish(): Promise<void> {
    for (const entry of this.#directories.reverse()) {
      const { above, name } = splitPath(entry.path);
      await using parent = await openInRoot(this.#rootfs, above);
      if (parent === undefined) continue;
      const found = name === '' ? undefined : await statIn(parent, name);
      if (name !== '' && !found?.isDirectory()) continue;
      await using directory = await parent.child(name === '' ? '.' : name);
      await directory.file.chown(entry.uid, entry.gid);
      await directory.file.chmod(entry.mode);
      setAttributes(parent.at(name === '' ? '.' : name), entry);
      await directory.file.utimes(entry.modifiedMs / 1000, entry.modifiedMs / 1000);
    }
  }

  async #parent(path: string): Promise<OpenDirectory> {
    const make = (above: OpenDirectory, name: string) => mkdir(above.at(name), { mode: 0o755 });
    return (await openInRoot(this.#rootfs, path, make)) as OpenDirectory;
  }

  async #replace(
    parent: OpenDirectory,
    name: string,
    entry: TarEntry,
    content: AsyncIterable<Buffer>,
  ): Promise<void> {
    const { type, path, mode, uid, gid, target } = entry;
    const at = parent.at(name);
    const found = await statIn(parent, name);
    if (type === 'directory') {
      if (found && !found.isDirectory()) await parent.remove(name);
      if (!found?.isDirectory()) await mkdir(at, { mode: 0o700 });
      this.#directories.push(entry);
      return;
    }
    // A link to itself would remove what it is to name.
    if (type === 'link') return await this.#link(parent, name, entry);
    await parent.remove(name);
    if (type === 'file') {
      await using file = await open(at, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
      for await (const chunk of content) await file.writeFile(chunk);
    } else if (type === 'symlink') {
      await symlink(Buffer.from(target, 'latin1'), at);
    } else {
      if (type !== 'fifo' && !this.#devices) {
        throw new BadStream(`${shownPath(path)} is a device, and devices is not set`, 0);
      }
      native().makeNode(at, KINDS[type] | 0o600, deviceNumber(entry));
    }
    await lchown(at, uid, gid);
    // After a change of the owner, which removes set-user-ID bits and capabilities.
    if (type !== 'symlink') await chmod(at, mode);
    setAttributes(at, entry);
    await lutimes(at, entry.modifiedMs / 1000, entry.modifiedMs / 1000);
  }

  async #link(parent: OpenDirectory, name: string, { path, target }: TarEntry): Promise<void> {
    const other = splitPath(plainPath(target));
    await using directory = await openInRoot(this.#rootfs, other.above);
    const original = directory && (await statIn(directory, nameIn(other.name)));
    if (!directory || !original) {
      throw new BadStream(
        `${shownPath(path)} is a link to ${shownPath(target)}, which is missing`,
        0,
      );
    }
    if (original.isDirectory()) {
      throw new BadStream(`${shownPath(path)} is a hard link to a directory`, 0);
    }
    const found = await statIn(parent, name);
    if (found?.ino === original.ino && found.dev === original.dev) return;
    await parent.remove(name);
    await link(directory.at(other.name), parent.at(name));
  }
}

const KINDS = {
  fifo: constants.S_IFIFO,
  character: constants.S_IFCHR,
  block: constants.S_IFBLK,
} as const;

function nameIn(name: string): string {
  if (name === '' || name === '.' || name === '..') {
    throw new BadStream(`${shownPath(name)} is no name of a file`, 0);
  }
  return name;
}

/** How overlayfs says that a file was removed. */
function isWhiteout({ type, major, minor }: TarEntry): boolean {
  return type === 'character' && major === 0 && minor === 0;
}

/** As stat(2) returns it: 12 bits for the kind, 20 for the unit. */
function deviceNumber({ path, major, minor }: TarEntry): number {
  if (major > 0xfff || minor > 0xfffff) {
    throw new BadStream(`${shownPath(path)} has no valid device number`, 0);
  }
  return (minor & 0xff) + major * 0x100 + (minor >>> 8) * 0x100000;
}

/** True for an attribute that a container may have set: others steer the kernel or a file system of the host. */
export function isPortableAttribute(name: string): boolean {
  const isOfUser = name.startsWith('user.') && !name.startsWith('user.overlay.');
  return isOfUser || name === 'security.capability';
}

function setAttributes(at: Buffer, { attributes }: TarEntry): void {
  for (const [name, value] of attributes) {
    if (isPortableAttribute(name)) native().setAttribute(at, name, value);
  }
}
