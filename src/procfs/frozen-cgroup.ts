import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The directory of the frozen cgroup that a process is in; undefined if it is in none, or in one
 * that cannot be seen from here. Told at once: none of these files is on a disk.
 */
export function frozenCgroupOf(pid: number): string | undefined {
  const memberships = textOf(`/proc/${pid}/cgroup`);
  for (const line of memberships.split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isV2 = line.startsWith('0::');
    if (!isV2 && !controllers.split(',').includes('freezer')) continue;
    const directory = directoryOf(path, isV2);
    if (directory === undefined) continue;
    const state = textOf(join(directory, isV2 ? 'cgroup.events' : 'freezer.state'));
    if (isV2 ? /^frozen 1$/m.test(state) : /^FR/.test(state)) return directory;
  }
  return undefined;
}

/** Where a cgroup is in the file system: below the first mount of its hierarchy that has it. */
function directoryOf(path: string, isV2: boolean): string | undefined {
  for (const line of textOf('/proc/self/mountinfo').split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    const isIt = isV2
      ? type === 'cgroup2'
      : type === 'cgroup' && options.split(',').includes('freezer');
    const [, , , root = '', mount = ''] = before.split(' ');
    const inside = root === '/' || path === root || path.startsWith(`${root}/`);
    // Spaces and the like are written as \040.
    const at = mount.replace(/\\(\d{3})/g, (_, code) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    if (isIt && inside) return join(at, path.slice(root === '/' ? 0 : root.length));
  }
  return undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
