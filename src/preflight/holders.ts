import { parseStat } from './parse.ts';
import { eachOf, linkOf, namesIn, textOf } from './read.ts';
import type { Holder } from './snapshot.ts';

/** How long the other processes of the host are looked through, in milliseconds. */
const LIMIT_MS = 250;

/**
 * Who has pipes or sockets open besides the processes of a tree: the ancestors of the tree are asked
 * first, since most were made by one, then all others as long as there is time.
 */
export async function holdersOf(
  links: ReadonlySet<string>,
  tree: ReadonlySet<number>,
  parent: number,
): Promise<Map<string, Holder>> {
  const holders = new Map<string, Holder>();
  if (links.size === 0) return holders;
  const end = performance.now() + LIMIT_MS;
  const look = async (pid: number) => {
    if (tree.has(pid) || holders.size === links.size || performance.now() > end) return;
    const fds = await namesIn(`/proc/${pid}/fd`).catch(() => []);
    const found = await eachOf(fds, async (fd) => {
      const link = await linkOf(`/proc/${pid}/fd/${fd}`).catch(() => undefined);
      return link && links.has(link) && !holders.has(link) ? link : undefined;
    });
    if (found.length === 0) return;
    const stat = await textOf(`/proc/${pid}/stat`);
    const name = stat ? parseStat(stat).name : 'gone';
    for (const link of found) holders.set(link, { pid, name });
  };
  for (let pid = parent; pid > 1; ) {
    await look(pid);
    const stat = await textOf(`/proc/${pid}/stat`);
    pid = stat ? parseStat(stat).parent : 0;
  }
  const all = (await namesIn('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  await eachOf(all, look, 4);
  return holders;
}
