import { readdir, readlink, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Removes the names that CRIU has given to deleted files of these processes for the time of a dump
 * (linkRemap): beside where they were, and they are the same files. Tells which it could not.
 */
export async function removeLinkRemaps(pids: readonly number[]): Promise<string[]> {
  const left: string[] = [];
  for (const pid of pids) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (!link.endsWith(' (deleted)')) continue;
      // As the process sees it, which may have a root of its own.
      const directory = join(`/proc/${pid}/root`, dirname(link));
      const file = await stat(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
      const names = await readdir(directory).catch(() => []);
      for (const name of names.filter((name) => name.startsWith('link_remap.'))) {
        const path = join(directory, name);
        const remap = await stat(path).catch(() => undefined);
        if (!file || remap?.ino !== file.ino || remap.dev !== file.dev) continue;
        await unlink(path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') left.push(`the file ${path} (${error.message})`);
        });
      }
    }
  }
  return left;
}
