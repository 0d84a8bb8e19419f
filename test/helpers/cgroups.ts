import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The name of a cgroup, as a path from the root of its hierarchy, and where that is mounted. */
export interface Group {
  readonly name: string;
  readonly mount: string;
  /** Its directory, there or not. */
  readonly path: string;
}

/** Mounts the hierarchy of cgroup v2, for a test. */
export async function mountCgroups(directory?: string): Promise<string> {
  const mount = directory ?? (await temporaryDirectory());
  await mkdir(mount, { recursive: true });
  await execa('mount', ['-t', 'cgroup2', 'node-criu', mount]);
  onTestFinished(async () => void (await execa('umount', ['-l', mount])));
  return mount;
}

/** A cgroup that nobody else uses, yet to be made. Removed after the test with all that is in it. */
export function unusedGroup(mount: string): Group {
  const name = `/node-criu-${randomUUID()}`;
  const path = join(mount, name);
  onTestFinished(() => removeGroup(path));
  return { name, mount, path };
}

/** Makes a cgroup and moves processes into it. */
export async function makeGroup(path: string, ...pids: number[]): Promise<void> {
  await mkdir(path);
  for (const pid of pids) await writeFile(join(path, 'cgroup.procs'), `${pid}`);
}

/** Kills what is in a cgroup and removes it, if it is there. */
export async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  if (entries.length === 0) return;
  await writeFile(join(path, 'cgroup.kill'), '1');
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  // Zombies are in it until somebody reaps them.
  const gone = () =>
    rmdir(path).then(
      () => true,
      (error) => error.code === 'ENOENT',
    );
  await waitFor(gone, `${path} is empty`);
}

/** The cgroup of a process in the hierarchy of cgroup v2. */
export async function groupOf(pid: number | 'self'): Promise<string | undefined> {
  return /^0::(.*)$/m.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
}
