import type { Cancellation } from '../concurrency/cancellation.ts';
import { readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import { readPids } from '../procfs/processes.ts';
import { eachOf } from '../procfs/read.ts';
import { readStat } from '../procfs/stat.ts';
import type { OutsideProcess } from './snapshot.ts';

/** The processes outside a tree that have pipes or sockets of the tree open. */
export interface OutsideOwners {
  /** By link, such as `pipe:[123]`. */
  readonly found: ReadonlyMap<string, OutsideProcess>;
  /** True if all processes of the host were searched, so that a link without an owner has none. */
  readonly isComplete: boolean;
}

/**
 * Searches the processes outside a tree for those that have pipes or sockets open. The ancestors of
 * the tree come first, because most pipes lead to one of them.
 * @param links what to search for, such as `pipe:[123]`
 * @param tree the pids of the tree
 * @param parent the parent of the tree's root
 * @param limit ends the search
 */
export async function findOutsideOwners(
  links: ReadonlySet<string>,
  tree: ReadonlySet<number>,
  parent: number,
  limit: Cancellation,
): Promise<OutsideOwners> {
  const found = new Map<string, OutsideProcess>();
  if (links.size === 0) return { found, isComplete: true };
  let isComplete = true;
  const isOver = () => {
    if (limit.reason) isComplete = false;
    return limit.reason !== undefined;
  };
  const search = async (pid: number) => {
    if (tree.has(pid) || found.size === links.size || isOver()) return;
    const fds = await readDescriptors(pid).catch(() => []);
    const open = await eachOf(fds, async (fd) => {
      if (isOver()) return undefined;
      const link = await readDescriptorLink(pid, fd).catch(() => undefined);
      return link && links.has(link) && !found.has(link) ? link : undefined;
    });
    if (open.length === 0) return;
    const name = (await readStat(pid))?.name ?? 'gone';
    for (const link of open) found.set(link, { pid, name });
  };
  for (let pid = parent; pid > 1; ) {
    await search(pid);
    pid = (await readStat(pid))?.parent ?? 0;
  }
  await eachOf(await readPids(), search, 4);
  return { found, isComplete };
}
