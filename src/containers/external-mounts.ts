import { statSync } from 'node:fs';
import { type Mount, readMountInfo } from '../procfs/mountinfo.ts';
import { resolveInRoot } from './resolve-in-root.ts';
import type { RuntimeMount, RuntimeState } from './runtime-state.ts';

/** The name that runc gives to the files that it hides, and what hides them. */
export const MASK = '/dev/null';

/** Mounts of the container's configuration that show directories or files of the host. */
export function bindMountsOf({ mounts }: Pick<RuntimeState, 'mounts'>): readonly RuntimeMount[] {
  return mounts.filter(({ device }) => device === 'bind');
}

/**
 * The external mounts of a container, for a dump: where they are and their names in the images, which are the names
 * that `runc restore` knows.
 */
export async function externalMountsOf(state: RuntimeState): Promise<Record<string, string>> {
  const mounts = await readMountInfo(state.pid);
  const external: Record<string, string> = {};
  for (const { destination } of bindMountsOf(state)) {
    const point = await resolveInRoot(state.rootfs, destination);
    external[point] = point;
  }
  if (!state.namespaces.some(({ type }) => type === 'NEWCGROUP')) {
    for (const { point } of cgroupMounts(mounts)) external[point] = point;
  }
  for (const path of state.devices) external[path] = path;
  for (const path of state.maskedPaths) if (isFileIn(state, path)) external[path] = MASK;
  return external;
}

/**
 * Mounts of cgroup v1, which show directories of the host unless the container has a cgroup namespace. CRIU mounts
 * cgroup v2 anew.
 */
export function cgroupMounts(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.filter(({ type }) => type === 'cgroup');
}

/** runc hides a file by a bind mount of /dev/null, and a directory by a tmpfs. */
function isFileIn({ pid }: RuntimeState, path: string): boolean {
  const stats = statSync(`/proc/${pid}/root${path}`, { throwIfNoEntry: false });
  return stats !== undefined && !stats.isDirectory();
}
