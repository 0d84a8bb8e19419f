import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * The limits of cgroup v2 that CRIU does not dump: it knows those of cgroup v1 only. Source: CRIU's
 * criu/cgroup-props.c, the kernel's cgroup-v2.rst.
 */
const FILES = [
  ...[
    'memory.max',
    'memory.high',
    'memory.low',
    'memory.min',
    'memory.swap.max',
    'memory.oom.group',
  ],
  ...['pids.max', 'cpu.max', 'cpu.weight', 'cpu.idle', 'cpuset.cpus', 'cpuset.mems'],
  ...['io.max', 'io.weight', 'cgroup.max.depth', 'cgroup.max.descendants'],
] as const;

/** Limits of a cgroup, by the names of their files. */
export type CgroupLimits = Readonly<Record<string, string>>;

/** Reads the limits of a cgroup. @param directory undefined if there is no cgroup v2 */
export async function readLimits(directory: string | undefined): Promise<CgroupLimits> {
  if (directory === undefined) return {};
  const values = await Promise.all(FILES.map((name) => readValue(directory, name)));
  const found = FILES.map((name, index) => [name, values[index]] as const);
  return Object.fromEntries(
    found.filter((one): one is [(typeof one)[0], string] => one[1] !== undefined),
  );
}

/**
 * Sets limits of a cgroup where they differ.
 * @throws Error if this host cannot set one
 */
export async function applyLimits(
  directory: string | undefined,
  limits: CgroupLimits,
): Promise<void> {
  if (directory === undefined) return;
  for (const name of FILES) {
    const value = limits[name];
    const current = await readValue(directory, name);
    if (!value || value === current) continue;
    try {
      if (current === undefined) await enableController(directory, name.replace(/\..*/, ''));
      // Some have a line for each device, which is set by itself.
      for (const line of value.split('\n')) await writeFile(join(directory, name), line);
    } catch (cause) {
      const { message } = cause as Error;
      throw new Error(`cannot set ${name} of ${directory} to ${value}: ${message}`, { cause });
    }
  }
}

/** A cgroup has the files of a controller only if those above it pass the controller on. */
async function enableController(directory: string, controller: string): Promise<void> {
  const parent = dirname(directory);
  const available = await readValue(parent, 'cgroup.controllers');
  // The parent is above the hierarchy.
  if (available === undefined) return;
  if (!available.split(' ').includes(controller)) await enableController(parent, controller);
  await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`);
}

async function readValue(directory: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(directory, name), 'latin1').catch(() => undefined);
  return text?.trim();
}
