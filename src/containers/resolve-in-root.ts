import { readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** As many as the kernel follows. */
const MAX_LINKS = 40;

/**
 * Where a path of a container is in its root directory, with all symbolic links followed as in a process that has
 * that root: `..` and absolute links stay inside. Parts that do not exist are taken as they are.
 * @param root the root directory
 * @param path absolute, as the container sees it
 * @returns absolute, as the container sees it
 * @throws Error for a loop of links
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  const left = path.split('/').reverse();
  let resolved: string[] = [];
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      resolved.pop();
      continue;
    }
    const target = await readlink(join(root, ...resolved, name)).catch(() => undefined);
    if (target === undefined) {
      resolved.push(name);
      continue;
    }
    if (++links > MAX_LINKS) throw new Error(`too many symbolic links in ${path}`);
    if (target.startsWith('/')) resolved = [];
    left.push(...target.split('/').reverse());
  }
  return `/${resolved.join('/')}`;
}
