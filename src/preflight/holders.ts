import type { Cancellation } from '../concurrency/cancellation.ts';
import { parseStat } from '../procfs/parse.ts';
import { eachOf, linkOf, namesIn, textOf } from '../procfs/read.ts';
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
    const fds = await namesIn(`/proc/${pid}/fd`).catch(() => []);
    const held = await eachOf(fds, async (fd) => {
      if (isOver()) return undefined;
      const link = await linkOf(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
      return link && links.has(link) && !found.has(link) ? link : undefined;
    });
    if (held.length === 0) return;
    const stat = await textOf(`/proc/${pid}/stat`);
    const name = stat ? parseStat(stat).name : 'gone';
    for (const link of held) found.set(link, { pid, name });
  };
  for (let pid = parent; pid > 1; ) {
    await look(pid);
    const stat = await textOf(`/proc/${pid}/stat`);
    pid = stat ? parseStat(stat).parent : 0;
  }
  const all = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  await eachOf(all, look, 4);
  return { found, complete };
}
