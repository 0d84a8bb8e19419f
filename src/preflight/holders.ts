import type { Cancellation } from '../concurrency/cancellation.ts';
import { readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import { readPids } from '../procfs/processes.ts';
import { eachOf } from '../procfs/read.ts';
import { readStat } from '../procfs/stat.ts';
import type { Holder } from './snapshot.ts';

/** Who else has what the tree has one end of. */
export interface Holders {
  /** By link, as `pipe:[123]`. */
  readonly found: ReadonlyMap<string, Holder>;
  /** Whether there was time for all processes of the host: only then nobody has what is not found. */
  readonly complete: boolean;
}

/**
 * Who has pipes or sockets open besides the processes of a tree: the ancestors of the tree are asked
 * first, since most were made by one, then all others as long as there is time.
 */
export async function holdersOf(
  links: ReadonlySet<string>,
  tree: ReadonlySet<number>,
  parent: number,
  limit: Cancellation,
): Promise<Holders> {
  const found = new Map<string, Holder>();
  if (links.size === 0) return { found, complete: true };
  let complete = true;
  const isOver = () => {
    if (limit.reason) complete = false;
    return limit.reason !== undefined;
  };
  const look = async (pid: number) => {
    if (tree.has(pid) || found.size === links.size || isOver()) return;
    const fds = await readDescriptors(pid).catch(() => []);
    const held = await eachOf(fds, async (fd) => {
      if (isOver()) return undefined;
      const link = await readDescriptorLink(pid, fd).catch(() => undefined);
      return link && links.has(link) && !found.has(link) ? link : undefined;
    });
    if (held.length === 0) return;
    const name = (await readStat(pid))?.name ?? 'gone';
    for (const link of held) found.set(link, { pid, name });
  };
  for (let pid = parent; pid > 1; ) {
    await look(pid);
    pid = (await readStat(pid))?.parent ?? 0;
  }
  await eachOf(await readPids(), look, 4);
  return { found, complete };
}
