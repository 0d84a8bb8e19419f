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
  const points = Object.keys(await bindSourcesOf(state));
  for (const point of [...points, ...submounts(mounts, points)]) external[point] = point;
  if (!state.namespaces.some(({ type }) => type === 'NEWCGROUP')) {
    for (const { point } of cgroupMounts(mounts)) external[point] = point;
  }
  for (const path of state.devices) external[path] = path;
  for (const path of state.maskedPaths) if (isFileIn(state, path)) external[path] = MASK;
  return external;
}

/** What bind mounts show, by where they are in the container once symbolic links are followed. */
export async function bindSourcesOf(
  container: Pick<RuntimeState, 'mounts' | 'rootfs'>,
): Promise<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const { source, destination } of bindMountsOf(container)) {
    sources[await resolveInRoot(container.rootfs, destination)] = source;
  }
  return sources;
}

/** The mounts that came with bind mounts, because they are below their sources: runc does not tell CRIU of them. */
export async function submountsOf(state: RuntimeState): Promise<string[]> {
  const mounts = await readMountInfo(state.pid);
  return submounts(mounts, Object.keys(await bindSourcesOf(state)));
}

function submounts(mounts: readonly Mount[], points: readonly string[]): string[] {
  const isBelow = (path: string) => points.some((point) => path.startsWith(`${point}/`));
  return mounts.map(({ point }) => point).filter((path) => !points.includes(path) && isBelow(path));
}

/** What such mounts show on this host. @param sources those of the bind mounts */
export function submountSources(
  sources: Readonly<Record<string, string>>,
  paths: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    paths.flatMap((path) => {
      const above = Object.keys(sources).filter((point) => path.startsWith(`${point}/`));
      const nearest = above.reduce((one, other) => (other.length > one.length ? other : one), '');
      const source = sources[nearest];
      return source === undefined ? [] : [[path, `${source}${path.slice(nearest.length)}`]];
    }),
  );
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
