import { constants } from 'node:fs';
import { native } from '../native/index.ts';
import { readDescriptorLink } from '../procfs/descriptors.ts';
import { major, minor } from '../procfs/device.ts';
import { readFdInfo, type Watch } from '../procfs/fdinfo.ts';
import type { Mount } from '../procfs/mountinfo.ts';
import { eachOf, lstatOf, namesIn, statOf, withFile } from '../procfs/read.ts';

/** Where CRIU searches for watched files that it cannot open by their handle. Source: criu/irmap.c. */
const searchedDirectories = [
  '/etc',
  '/var/spool',
  '/var/log',
  '/usr/share/dbus-1/services',
  '/usr/share/dbus-1/system-services',
  '/var/lib/polkit-1/localauthority',
  '/usr/share/polkit-1/actions',
  '/lib/udev',
];

/** How many files are searched at most; CRIU itself has no limit. */
const MAX_SEARCHED = 50_000;

/** The mounts of a namespace, as one process sees them. */
export interface MountView {
  readonly mounts: readonly Mount[];
  /** A prefix for the mount points. */
  readonly root: string;
}

/** How to look up the paths of a mount namespace. */
export interface MountLookup {
  /** A prefix for the paths in links of /proc. */
  readonly root: string;
  readonly view: MountView;
}

/**
 * Finds the watched files for which CRIU finds no path. It does what CRIU does: it opens each file by
 * its handle on a mount of the file system, and tests whether the file is at the path that the kernel
 * reports. Source: CRIU's criu/fsnotify.c, check_open_handle.
 */
export class Watches {
  readonly #forceSearch: boolean;
  readonly #searched: readonly string[];
  #inodes: Promise<ReadonlySet<string>> | undefined;

  constructor(options: { forceIrmap?: boolean; irmapScanPaths?: readonly string[] }) {
    this.#forceSearch = options.forceIrmap === true;
    this.#searched = [...(options.irmapScanPaths ?? []), ...searchedDirectories];
  }

  /**
   * Describes the watched files for which CRIU finds no path.
   * @param all the mount namespaces of the tree: CRIU searches all of them
   */
  async unresolved(
    paths: MountLookup,
    watches: readonly Watch[],
    all: () => Promise<readonly MountLookup[]>,
  ): Promise<string[]> {
    const unresolved: string[] = [];
    for (const watch of watches) {
      if (await this.#isNamed(paths, watch)) continue;
      const named = await eachOf(await all(), (other) => this.#isNamed(other, watch));
      if (named.includes(true)) continue;
      const type = paths.view.mounts.find(({ device }) => device === watch.device)?.type;
      unresolved.push(`inode ${watch.inode} of ${type ?? 'a file system'} ${watch.device}`);
    }
    return unresolved;
  }

  async #isNamed(paths: MountLookup, watch: Watch): Promise<boolean> {
    if (!watch.handle) return false;
    const mounts = paths.view.mounts.filter(({ device }) => device === watch.device);
    let reached = false;
    for (const mount of mounts) {
      const path = await pathOf(paths, mount, watch.handle);
      if (path === undefined) continue;
      reached = true;
      if ((await statOf(`${paths.root}${path}`))?.ino === watch.inode) return true;
    }
    if (reached) {
      if (mounts.some(({ type }) => type === 'tmpfs' || type === 'devtmpfs')) return false;
      // CRIU restores the watch by the handle.
      if (!this.#forceSearch) return true;
    }
    this.#inodes ??= inodesBelow(this.#searched.map((path) => `${paths.root}${path}`));
    return (await this.#inodes).has(`${watch.device} ${watch.inode}`);
  }
}

/** The path of a file handle on a mount; undefined if it cannot be opened there. */
async function pathOf(
  { view: { root } }: MountLookup,
  mount: Mount,
  { type, bytes }: NonNullable<Watch['handle']>,
): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY;
  return await withFile(`${root}${mount.point}`, flags, async (fd) => {
    // Another mount may cover this one.
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
