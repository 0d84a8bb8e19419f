import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

/** What this process holds: all that an operation could leave behind in it. */
export interface Holdings {
  /** What its open descriptors lead to, in order. */
  readonly descriptors: readonly string[];
  /** The pids of its children, zombies included. */
  readonly children: readonly number[];
}

/**
 * What this process holds. Two looks in a row must agree: libc opens files for a moment by itself
 * (a new thread reads the count of processors).
 */
export async function holdings(): Promise<Holdings> {
  let last = await look();
  for (let looks = 0; looks < 20; looks++) {
    await sleep(10);
    const now = await look();
    if (isDeepStrictEqual(now, last)) break;
    last = now;
  }
  return last;
}

async function look(): Promise<Holdings> {
  return { descriptors: await descriptors(), children: await children() };
}

/** The children of this process, zombies included. */
export async function children(): Promise<number[]> {
  const lists = await Promise.all(
    (await readdir('/proc/self/task')).map((thread) =>
      // A thread may end while its list is read.
      readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => ''),
    ),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number)).sort((a, b) => a - b);
}

async function descriptors(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) =>
      // The descriptor that the directory itself was read with is closed by now.
      readlink(`/proc/self/fd/${fd}`).catch(() => undefined),
    ),
  );
  return links.filter((link) => link !== undefined).sort();
}
