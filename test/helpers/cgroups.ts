import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { temporaryDirectory, waitFor } from './workload.ts';

/** A cgroup. */
export interface Group {
  /** The path within its hierarchy. */
  readonly name: string;
  /** Where the hierarchy is mounted. */
  readonly mount: string;
  /** The path of its directory, which need not exist. */
  readonly path: string;
}

/** Mounts the cgroup v2 hierarchy until the test is over. */
export async function mountCgroups(directory?: string): Promise<string> {
  const mount = directory ?? (await temporaryDirectory());
  await mkdir(mount, { recursive: true });
  await execa('mount', ['-t', 'cgroup2', 'node-criu', mount]);
  onTestFinished(async () => void (await execa('umount', ['-l', mount])));
  return mount;
}

/** Where the cgroup v1 hierarchy of the memory controller is mounted. */
export function memoryHierarchy(): string {
  const path = '/sys/fs/cgroup/memory';
  if (existsSync(join(path, 'memory.swappiness'))) return path;
  const remedy = 'boot with systemd.unified_cgroup_hierarchy=0, or mount that hierarchy there';
  throw new Error(`cgroup v1 of the memory controller is not at ${path}: ${remedy}`);
}

/** Names a new cgroup without creating it. It is removed after the test with all its processes. */
export function unusedGroup(mount: string): Group {
  const name = `/node-criu-${randomUUID()}`;
  const path = join(mount, name);
  onTestFinished(() => removeGroup(path));
  return { name, mount, path };
}

/** Creates a cgroup and moves processes into it. */
export async function makeGroup(path: string, ...pids: number[]): Promise<void> {
  await mkdir(path);
  for (const pid of pids) await writeFile(join(path, 'cgroup.procs'), `${pid}`);
}

/** Kills the processes of a cgroup and removes it, if it exists. */
export async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  if (entries.length === 0) return;
  // Not in cgroup v1, where the processes must have been killed before.
  const kill = entries.find(({ name }) => name === 'cgroup.kill');
  if (kill) await writeFile(join(path, kill.name), '1');
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  // A cgroup contains zombies until they are reaped.
  const gone = () =>
    rmdir(path).then(
      () => true,
      (error) => error.code === 'ENOENT',
    );
  await waitFor(gone, `${path} is empty`);
}

/** The path of a process's cgroup in the cgroup v2 hierarchy. */
export async function groupOf(pid: number | 'self'): Promise<string | undefined> {
  return /^0::(.*)$/m.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
}
