import { externalFile, externalTerminal } from '../../launch/outside-descriptors.ts';
import { isMemory } from '../../procfs/maps.ts';
import type { Mount } from '../../procfs/mountinfo.ts';
import type { OpenFile } from '../snapshot.ts';
import {
  type Check,
  descriptorsOf,
  filesOf,
  found,
  isExternal,
  nameOf,
  type Subject,
} from './check.ts';
import { isBelow } from './mounts.ts';
import { isTerminal } from './terminals.ts';

/** CRIU's default of the option ghostLimit. */
const DEFAULT_GHOST_LIMIT = 1 << 20;
const BLOCK = 512;
/** The name that an NFS client gives to a deleted file that is still open. */
const sillyName = /\/\.nfs[0-9a-f]{24}[^/]*$/;

/** The files that CRIU dumps by path: neither memory nor files that the option external names. */
function pathFiles({ snapshot, options }: Subject) {
  return filesOf(snapshot).filter(({ file }) => {
    if (isMemory(file.path)) return false;
    const id = externalFile(file.mount ?? 0, file.stats.ino);
    return !isExternal(options, id);
  });
}

const nameOfFile = (role: string, fd: number | undefined) => role || `descriptor ${fd}`;

export const mounts: Check = (subject) =>
  pathFiles(subject).flatMap(({ process, file, descriptor }) => {
    const { mount, path, role, stats } = file;
    if (mount === undefined || subject.snapshot.mounts.has(mount)) return [];
    const { options } = subject;
    if (
      isTerminal(stats.rdev) &&
      (options.shellJob || isExternal(options, externalTerminal(stats)))
    )
      return [];
    return found('OUTSIDE_MOUNT_NAMESPACE', process, {
      message: `${nameOfFile(role, descriptor?.fd)} of ${nameOf(process)} is ${path} on mount ${mount}, which is not in the mount namespaces of the tree`,
      fd: descriptor?.fd,
      remedy: descriptor
        ? `Open it in the mount namespace of the tree, or add ${externalFile(mount, stats.ino)} to external.`
        : 'Enter the mount namespace before the program is executed, not in the program.',
    });
  });

export const deletedFiles: Check = (subject) => {
  const { ghostLimit = DEFAULT_GHOST_LIMIT, linkRemap, evasiveDevices } = subject.options;
  return pathFiles(subject).flatMap(({ process, file, descriptor }) => {
    const { role, stats, now } = file;
    const type = subject.snapshot.mounts.get(file.mount ?? -1)?.type ?? '';
    // Files in proc and devpts cannot be deleted, although they may look so.
    if (['proc', 'devpts'].includes(type) || !isDumped(file)) return [];
    // On an unknown mount CRIU fails earlier, which the check of mounts reports.
    if (file.mount !== undefined && type === '') return [];
    const path = file.path.replace(/ \(deleted\)$/, '');
    const subjectOf = `${nameOfFile(role, descriptor?.fd)} of ${nameOf(process)} is ${path}`;
    const fd = descriptor?.fd;
    const own = subject.snapshot.mountsOf.get(process.namespaces.get('mnt') ?? '') ?? [];
    const mount = own.find(({ id }) => id === file.mount);
    if (mount && isCovered(mount, own)) {
      return found('PATH_TAKEN', process, {
        message: `${subjectOf}, on a mount that another mount covers`,
        fd,
        remedy: 'Close the descriptor, or unmount the other mount.',
      });
    }
    if (stats.nlink === 0) {
      const size = stats.blocks * BLOCK;
      if (size <= ghostLimit) return [];
      return found('DELETED_FILE_TOO_BIG', process, {
        message: `${subjectOf}, which is deleted and has ${size} bytes, more than the ghostLimit of ${ghostLimit}`,
        fd,
        remedy: `Set ghostLimit to ${size} or more.`,
      });
    }
    // A file of another mount namespace of the tree was looked up in the wrong one.
    if (file.mount !== undefined && !mount) return [];
    const silly = type.startsWith('nfs') && sillyName.test(path);
    if (!now || silly) {
      if (linkRemap) return [];
      return found('DELETED_FILE_LINKED', process, {
        message: `${subjectOf}, which is deleted but has ${stats.nlink} other name${stats.nlink > 1 ? 's' : ''}`,
        fd,
        remedy: 'Set linkRemap for the dump and the restore.',
      });
    }
    if (now.ino === stats.ino && now.dev === stats.dev) return [];
    if (evasiveDevices && stats.rdev !== 0 && now.rdev === stats.rdev) return [];
    return found('PATH_TAKEN', process, {
      message: `${subjectOf}, and another file is at this path now`,
      fd,
      remedy: 'Close the descriptor, or move the other file away.',
    });
  });
};

/** True if other mounts hide all of a mount. Source: CRIU's criu/mount.c, mnt_is_overmounted. */
function isCovered(mount: Mount, all: readonly Mount[]): boolean {
  if (all.some(({ parent, point }) => parent === mount.id && point === mount.point)) return true;
  let { id, point } = mount;
  for (let under = parentOf(mount, all); under; under = parentOf(under, all)) {
    const beside = all.filter(({ id: other, parent }) => parent === under?.id && other !== id);
    if (beside.some((other) => isBelow(point, other.point))) return true;
    ({ id, point } = under);
  }
  return false;
}

const parentOf = (mount: Mount, all: readonly Mount[]) =>
  all.find(({ id }) => id === mount.parent && id !== mount.id);

/** True for a file that CRIU dumps by its path. */
function isDumped({ stats }: OpenFile): boolean {
  return !stats.isSocket() && !stats.isBlockDevice();
}

export const fileLocks: Check = ({ snapshot, options }) =>
  options.fileLocks
    ? []
    : descriptorsOf(snapshot).flatMap(([process, { fd, link, info }]) =>
        (info?.locks ?? []).slice(0, 1).map((lock) =>
          found('FILE_LOCK', process, {
            message: `descriptor ${fd} of ${nameOf(process)} holds a lock (${lock.split(/\s+/, 3).join(' ')}) on ${link}`,
            fd,
            remedy: 'Set fileLocks for the dump and the restore.',
          }),
        ),
      );
