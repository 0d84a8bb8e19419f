import { join } from 'node:path';
import { type Mount, readCgroupMountsSync } from './mountinfo.ts';
import { type Pid, textOfSync } from './read.ts';

/** A line of /proc/PID/cgroup. */
interface Membership {
  /** The controllers of a cgroup v1 hierarchy; empty for cgroup v2. */
  readonly controllers: readonly string[];
  /** The path of the cgroup within its hierarchy. */
  readonly path: string;
  readonly isV2: boolean;
}

/** Reads /proc/PID/cgroup; empty if the process is gone. */
export function readCgroupsSync(pid: Pid): Membership[] {
  const text = textOfSync(`/proc/${pid}/cgroup`) ?? '';
  return [...text.matchAll(/^(\d+):([^:\n]*):(.*)$/gm)].map(
    ([, hierarchy, controllers = '', path = '']) => ({
      controllers: controllers.split(',').filter(Boolean),
      path,
      isV2: hierarchy === '0' && controllers === '',
    }),
  );
}

/**
 * Finds the directory of the frozen cgroup that a process is in. Undefined if its cgroup is not
 * frozen, or is not mounted in the mount namespace of this process.
 */
export function frozenCgroupOf(pid: number): string | undefined {
  try {
    const mounts = readCgroupMountsSync();
    return readCgroupsSync(pid)
      .map((membership) => frozenDirectoryOf(membership, mounts))
      .find(Boolean);
  } catch {
    return undefined;
  }
}

/**
 * The directory of a cgroup on this host, which need not exist; undefined if its hierarchy is not mounted.
 * @param controllers those of its hierarchy, such as `name=systemd`; none for cgroup v2
 * @param mounts those of cgroups
 */
export function cgroupDirectory(
  controllers: readonly string[],
  path: string,
  mounts: readonly Mount[],
): string | undefined {
  const mount = mounts.find(
    ({ type, options, root }) =>
      type === (controllers.length === 0 ? 'cgroup2' : 'cgroup') &&
      controllers.every((name) => options.includes(name)) &&
      (root === '/' || path === root || path.startsWith(`${root}/`)),
  );
  return mount && directoryIn(mount, path);
}

/** The directories of all cgroups of a process by controller; that of cgroup v2 has the name ''. */
export function cgroupDirectoriesOf(pid: Pid): Map<string, string> {
  const mounts = readCgroupMountsSync();
  const directories = new Map<string, string>();
  for (const { controllers, path } of readCgroupsSync(pid)) {
    const directory = cgroupDirectory(controllers, path, mounts);
    if (directory === undefined) continue;
    for (const name of controllers.length > 0 ? controllers : [''])
      directories.set(name, directory);
  }
  return directories;
}

function frozenDirectoryOf(
  { path, controllers, isV2 }: Membership,
  mounts: readonly Mount[],
): string | undefined {
  if (!isV2 && !controllers.includes('freezer')) return undefined;
  const directory = cgroupDirectory(controllers, path, mounts);
  if (directory === undefined) return undefined;
  const state = textOfSync(join(directory, isV2 ? 'cgroup.events' : 'freezer.state')) ?? '';
  return (isV2 ? /^frozen 1$/m : /^FR/).test(state) ? directory : undefined;
}

function directoryIn({ root, point }: Mount, path: string): string {
  return join(point, path.slice(root === '/' ? 0 : root.length));
}
