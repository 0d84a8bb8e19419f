import { constants } from 'node:fs';
import { native } from '../native/index.ts';
import { readDescriptorLink } from '../procfs/descriptors.ts';
import { major, minor } from '../procfs/device.ts';
import { readFdInfo, type Watch } from '../procfs/fdinfo.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import { lstatOf, namesIn, statOf, withFile } from '../procfs/read.ts';

/** Where CRIU looks for watched files that it cannot reach by their handle. */
const searched = [
  '/etc',
  '/var/spool',
  '/var/log',
  '/usr/share/dbus-1/services',
  '/usr/share/dbus-1/system-services',
  '/var/lib/polkit-1/localauthority',
  '/usr/share/polkit-1/actions',
  '/lib/udev',
];

/** How many files to look at there at most: CRIU would look at them all. */
const MAX_SEARCHED = 50_000;

interface Place {
  readonly root: string;
  readonly mounts: readonly Mount[];
}

/**
 * Finds out which watched files CRIU could not name, by its own way: open them by handle on a mount
 * of their file system, then see whether they are where the kernel says that they are.
 * Source: CRIU's criu/fsnotify.c, check_open_handle.
 */
export class Watches {
  readonly #forceSearch: boolean;
  readonly #searched: readonly string[];
  #inodes: Promise<ReadonlySet<string>> | undefined;

  constructor(options: { forceIrmap?: boolean; irmapScanPaths?: readonly string[] }) {
    this.#forceSearch = options.forceIrmap === true;
    this.#searched = [...(options.irmapScanPaths ?? []), ...searched];
  }

  /** In words, those that CRIU could not name. */
  async unresolved(place: Place, watches: readonly Watch[]): Promise<string[]> {
    const unresolved: string[] = [];
    for (const watch of watches) {
      if (await this.#isNamed(place, watch)) continue;
      const type = place.mounts.find(({ device }) => device === watch.device)?.type;
      unresolved.push(`inode ${watch.inode} of ${type ?? 'a file system'} ${watch.device}`);
    }
    return unresolved;
  }

  async #isNamed(place: Place, watch: Watch): Promise<boolean> {
    if (!watch.handle) return false;
    const mounts = place.mounts.filter(({ device }) => device === watch.device);
    let reached = false;
    for (const mount of mounts) {
      const path = await pathOf(place, mount, watch.handle);
      if (path === undefined) continue;
      reached = true;
      if ((await statOf(`${place.root}${path}`))?.ino === watch.inode) return true;
    }
    if (reached) {
      if (mounts.some(({ type }) => type === 'tmpfs' || type === 'devtmpfs')) return false;
      // CRIU then restores by the handle.
      if (!this.#forceSearch) return true;
    }
    this.#inodes ??= inodesBelow(this.#searched.map((path) => `${place.root}${path}`));
    return (await this.#inodes).has(`${watch.device} ${watch.inode}`);
  }
}

/** The path of a handle on a mount, or undefined if it cannot be opened there. */
async function pathOf(
  { root }: Place,
  mount: Mount,
  { type, bytes }: NonNullable<Watch['handle']>,
): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  return await withFile(`${root}${mount.point}`, flags, async (fd) => {
    // Something else may be mounted over it.
    if ((await readFdInfo('self', fd))?.mount !== mount.id) return undefined;
    let file: number;
    try {
      file = native().openByHandle(fd, type, bytes);
    } catch {
      return undefined;
    }
    try {
      return await readDescriptorLink('self', file);
    } finally {
      native().close(file);
    }
  }).catch(() => undefined);
}

async function inodesBelow(roots: readonly string[]): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>();
  for (const queue = [...roots]; queue.length > 0 && inodes.size < MAX_SEARCHED; ) {
    const path = queue.pop() as string;
    const stats = await lstatOf(path).catch(() => undefined);
    if (!stats) continue;
    inodes.add(`${major(stats.dev)}:${minor(stats.dev)} ${stats.ino}`);
    if (!stats.isDirectory()) continue;
    for (const name of await namesIn(path).catch(() => [])) queue.push(`${path}/${name}`);
  }
  return inodes;
}
