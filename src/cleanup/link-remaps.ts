import { readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { descriptorPath, readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';

/**
 * Removes the temporary names that CRIU gives to deleted files for the time of a dump (linkRemap):
 * hard links named `link_remap.*` in the directory where the deleted name was.
 * @returns one line for each file that could not be removed
 */
export async function removeLinkRemaps(pids: readonly number[]): Promise<string[]> {
  const leftovers: string[] = [];
  for (const pid of pids) {
    for (const fd of await readDescriptors(pid).catch(() => [])) {
      leftovers.push(...(await removeRemapsOf(pid, fd)));
    }
  }
  return leftovers;
}

async function removeRemapsOf(pid: number, fd: number): Promise<string[]> {
  const link = await readDescriptorLink(pid, fd).catch(() => undefined);
  if (!link?.endsWith(' (deleted)')) return [];
  // The path is relative to the process's own root directory.
  const directory = join(`/proc/${pid}/root`, dirname(link));
  const file = await stat(descriptorPath(pid, fd)).catch(() => undefined);
  const names = await readdir(directory).catch(() => []);
  const leftovers: string[] = [];
  for (const name of names.filter((name) => name.startsWith('link_remap.'))) {
    const path = join(directory, name);
    const remap = await stat(path).catch(() => undefined);
    if (!file || remap?.ino !== file.ino || remap.dev !== file.dev) continue;
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') leftovers.push(`the file ${path} (${error.message})`);
    });
  }
  return leftovers;
}
