import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { type Mount, readMountInfo } from '../procfs/mountinfo.ts';

/** A mount of the host that copies see as well, besides that of the root directory. */
export interface HostMount {
  /** Where it is mounted, on the host and in each copy. */
  readonly path: string;
  /** Its name in CRIU's images. */
  readonly name: string;
}

/** Where POSIX shared memory has its files: each copy has a tmpfs of its own there. */
export const SHARED_MEMORY: HostMount = { path: '/dev/shm', name: 'shared-memory' };

/** What programs expect of a host: devices, sockets of services, temporary files, and how to resolve names. */
const EXPECTED = [
  ...['/dev', '/run', '/var/run', '/sys', '/sys/fs/cgroup'],
  ...['/etc/resolv.conf', '/etc/hosts', '/etc/hostname'],
];
/** A copy has a procfs of its own. */
const isOwn = (path: string) =>
  [SHARED_MEMORY.path, '/proc'].some((own) => path === own || path.startsWith(`${own}/`));

/**
 * Finds the mounts of this host that contain what a program needs.
 * @param needed absolute paths; those that do not exist are left out
 */
export async function findHostMounts(needed: readonly string[]): Promise<HostMount[]> {
  const mounts = await readMountInfo('self');
  const paths = [...EXPECTED, tmpdir(), ...needed].flatMap((path) => [
    ...placesOf(path),
    ...mounts.filter(({ point }) => point === path).map(({ point }) => point),
  ]);
  const points = new Set(paths.map((path) => mountOf(path, mounts)));
  return [...points]
    .filter((point) => point !== '/' && !isOwn(point))
    .sort()
    .map((path, index) => ({ path, name: `host-${index}` }));
}

/** A path as it is written and where its links lead, with the directories that the links are in. */
function placesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  const real = realpathSync(path);
  return real === path ? [path] : [dirname(path), real];
}

/** Where the file system with a path is mounted. */
function mountOf(path: string, mounts: readonly Mount[]): string {
  const above = mounts.map(({ point }) => point).filter((point) => contains(point, path));
  return above.reduce((longest, point) => (point.length > longest.length ? point : longest), '/');
}

function contains(point: string, path: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}
