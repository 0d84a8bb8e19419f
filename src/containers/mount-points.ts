import { lstat, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BundleConfig } from './bundle-config.ts';
import { resolveInRoot } from './resolve-in-root.ts';

/**
 * Makes what is missing in a root directory to mount on, as the runtime does when it starts a container. CRIU makes
 * those on a tmpfs, with its files.
 */
export async function makeMountPoints({ rootfs, mounts }: BundleConfig): Promise<void> {
  const onTmpfs = (path: string) =>
    mounts.some(
      ({ device, destination }) => device === 'tmpfs' && path.startsWith(`${destination}/`),
    );
  for (const { device, source, destination } of mounts) {
    if (device === 'cgroup' || onTmpfs(destination)) continue;
    const point = join(rootfs, await resolveInRoot(rootfs, destination));
    const isFile = device === 'bind' && !(await stat(source)).isDirectory();
    await makeMountPoint(point, isFile);
  }
}

async function makeMountPoint(path: string, isFile: boolean): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) return;
  if (!isFile) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '', { flag: 'wx' });
}
