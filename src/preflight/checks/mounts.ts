import type { PreflightFinding } from '../../finding.ts';
import type { Mount } from '../../procfs/mountinfo.ts';
import type { PreflightOptions } from '../options.ts';
import { type Check, found, isExternal, type Subject } from './check.ts';

/** File systems of which CRIU makes a new mount. Source: CRIU's criu/filesystems.c; it never dumps fuse. */
const supported: ReadonlySet<string> = new Set([
  ...['proc', 'sysfs', 'devtmpfs', 'binfmt_misc', 'tmpfs', 'devpts', 'simfs', 'pstore', 'mqueue'],
  ...[
    'securityfs',
    'fusectl',
    'debugfs',
    'tracefs',
    'cgroup',
    'cgroup2',
    'aufs',
    'overlay',
    'autofs',
  ],
]);

/** The mounts of a tree whose root has a mount namespace of its own; undefined for other trees. */
function mountsOf({ snapshot: { root, caller, mountsOf }, options }: Subject) {
  const own = root.namespaces.get('mnt');
  if (own === undefined || own === caller.namespaces.get('mnt')) return undefined;
  const { skipMnt = [] } = options;
  const all = mountsOf.get(own) ?? [];
  const mounts = all.filter(({ point }) => !skipMnt.some((skipped) => isBelow(point, skipped)));
  const ids = new Set(mounts.map(({ id }) => id));
  const top = mounts.find(({ parent, point }) => point === '/' && !ids.has(parent));
  return top && new TreeMounts(mounts, top, caller.mounts, options);
}

/** Answers what CRIU asks about the mounts of a namespace. Source: CRIU's criu/mount.c. */
class TreeMounts {
  readonly all: readonly Mount[];
  readonly #top: Mount;
  readonly #external: readonly Mount[];

  constructor(
    all: readonly Mount[],
    top: Mount,
    outside: readonly Mount[],
    options: PreflightOptions,
  ) {
    this.all = all;
    this.#top = top;
    this.#external = all.filter((mount) => {
      const { point } = mount;
      if (isExternal(options, `mnt[${point}]`) || Object.hasOwn(options.extMnt ?? {}, point))
        return true;
      return mount !== top && isDetected(mount, outside, options);
    });
  }

  /** It is what an external mount shows, or a part of that. */
  isExternal(mount: Mount): boolean {
    return this.#external.some((one) => isPart(mount, one));
  }

  /** It is the root of the namespace, or a part of its file system that is mounted again. */
  isRoot(mount: Mount): boolean {
    return isPart(mount, this.#top);
  }

  /** A mount of the whole file system, of which CRIU can bind a part, is in the namespace. */
  hasWhole(mount: Mount): boolean {
    return this.all.some(({ device, root }) => device === mount.device && root === '/');
  }

  /** It receives the mounts and unmounts of a mount that is not in the namespace. */
  hasOutsideMaster(mount: Mount): boolean {
    if (mount.master === undefined) return false;
    if (this.all.some(({ shared }) => shared === mount.master)) return false;
    return !(this.isRoot(mount) && mount.master === this.#top.master);
  }
}

/** True if autoExtMnt finds the mount outside. Source: CRIU's criu/mount.c, resolve_external_mounts. */
function isDetected(mount: Mount, outside: readonly Mount[], options: PreflightOptions): boolean {
  const { autoExtMnt = false, extSharing = false, extMasters = false } = options;
  if (!autoExtMnt || (mount.shared !== undefined && !extSharing)) return false;
  const matches = outside.filter((one) => one.type === mount.type && isPart(mount, one));
  if (mount.master === undefined) return matches.length > 0;
  const reaches = ({ shared, master }: Mount) => [shared, master].includes(mount.master);
  return extMasters && matches.some(reaches);
}

/** True if a mount shows a part of what another one shows, or the whole. */
const isPart = (one: Mount, other: Mount) =>
  one.device === other.device && isBelow(one.root, other.root);

export const isBelow = (path: string, directory: string) =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`);

export const outsideMounts: Check = (subject) => {
  const mounts = mountsOf(subject);
  if (!mounts) return [];
  const { snapshot, options } = subject;
  return mounts.all.flatMap((mount): PreflightFinding[] => {
    const { point, type, root } = mount;
    const isKnown = mounts.isExternal(mount) || mounts.isRoot(mount);
    if (type === 'nsfs') return [ofNamespace(snapshot.root, mount, isKnown)];
    if (isKnown) return [];
    const remedy = `Add mnt[${point}]:NAME to external for the dump and mnt[NAME]:PATH at the restore, or set autoExtMnt for both.`;
    if (root !== '/' && !isOwnCgroup(subject, mount)) {
      if (mounts.hasWhole(mount)) return [];
      const message = `the mount ${point} shows ${root} of a file system (${type}) that is not in the mount namespace of the tree`;
      return [found('EXTERNAL_MOUNT', snapshot.root, { message, remedy })];
    }
    const { enableFs = [] } = options;
    if (supported.has(type) || enableFs.includes(type) || enableFs.includes('all')) return [];
    const message = `the mount ${point} has the file system ${type}, which CRIU does not mount by itself`;
    return [found('EXTERNAL_MOUNT', snapshot.root, { message, remedy })];
  });
};

/** CRIU mounts the cgroups of a cgroup namespace anew. Source: CRIU's criu/filesystems.c, cgroup_parse. */
function isOwnCgroup({ snapshot: { root, caller } }: Subject, { type }: Mount): boolean {
  if (type !== 'cgroup' && type !== 'cgroup2') return false;
  return root.namespaces.get('cgroup') !== caller.namespaces.get('cgroup');
}

/**
 * A namespace that is mounted on a file, as `ip netns exec` leaves it. With autoExtMnt and extMasters it is
 * dumped, but restored only if the root directory of the host is no shared mount.
 */
function ofNamespace(
  root: Subject['snapshot']['root'],
  { point, root: namespace }: Mount,
  isKnown: boolean,
): PreflightFinding {
  return found('EXTERNAL_MOUNT', root, {
    severity: isKnown ? 'warning' : 'error',
    message: `the mount ${point} is the namespace ${namespace}, ${isKnown ? 'with which the restore may fail' : 'which CRIU does not dump'}`,
    remedy: point.startsWith('/run/netns/')
      ? 'Start the program with nsenter --net=/run/netns/NAME instead of ip netns exec NAME.'
      : 'Unmount it in the mount namespace of the tree.',
  });
}

export const slaveMounts: Check = (subject) => {
  const mounts = mountsOf(subject);
  if (!mounts) return [];
  const { autoExtMnt, extMasters } = subject.options;
  const byOption =
    autoExtMnt && extMasters
      ? ''
      : 'Set autoExtMnt and extMasters for the dump and the restore, or s';
  return mounts.all
    .filter(({ type }) => type !== 'nsfs')
    .filter((mount) => mounts.hasOutsideMaster(mount) && !mounts.isExternal(mount))
    .map(({ point, master }) =>
      found('SLAVE_MOUNT', subject.snapshot.root, {
        message: `the mount ${point} is a slave of the mounts of peer group ${master}, which are outside the mount namespace of the tree`,
        remedy: `${byOption || 'S'}tart the tree with private mounts (unshare --mount --propagation private).`,
      }),
    );
};

/** CRIU dumps such a tree without the option, and crashes while it restores it. */
export const rootOfRestore: Check = (subject) => {
  if (!mountsOf(subject) || subject.options.root !== undefined) return [];
  return [
    found('ROOT_MISSING', subject.snapshot.root, {
      severity: 'warning',
      message:
        'the tree has a mount namespace of its own, which CRIU restores only with the option root',
      remedy: ROOT_REMEDY,
    }),
  ];
};

/** How to give a restore the option root. */
export const ROOT_REMEDY =
  'For the restore, set root to a mount point with the files of the tree, such as a bind mount of its root directory (mount --bind / /mnt/root).';
