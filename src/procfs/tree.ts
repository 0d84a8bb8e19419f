import { readPids, readPidsSync, readThreadsSync } from './processes.ts';
import { eachOf, textOfSync } from './read.ts';
import { readStat, readStatSync } from './stat.ts';

/** How often the children files are read before all processes are scanned instead. */
const MAX_PASSES = 4;

/** Lists the pids of a process and of all its descendants, the root first. */
export function descendantsOf(root: number): number[] {
  const found = new Set([root]);
  // A set also iterates over what is added meanwhile.
  for (const pid of found) for (const child of childrenOf(pid)) found.add(child);
  return [...found];
}

/**
 * Lists the pids of a process's children.
 *
 * The kernel lists children per thread and without a lock (proc(5)): when a thread ends, its children
 * move to another thread, which may have been read already, and when a child ends, the one after it
 * may be skipped. So the files are read until two passes in a row agree; if they do not, because
 * threads come and go all the time, all processes are scanned for their parent, which misses none.
 */
export function childrenOf(pid: number): number[] {
  let last: string | undefined;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { children, isComplete, signature } = readChildren(pid);
    if (isComplete && signature === last) return children;
    last = isComplete ? signature : undefined;
  }
  return readPidsSync().filter((each) => parentOf(each) === pid);
}

/** Reads the children files of all threads once. */
function readChildren(pid: number): { children: number[]; isComplete: boolean; signature: string } {
  const lists = readThreadsSync(pid).map((thread) => {
    const list = childrenOfThread(pid, thread);
    return { thread, list };
  });
  return {
    children: lists.flatMap(({ list }) => list?.split(' ').filter(Boolean).map(Number) ?? []),
    isComplete: lists.every(({ list }) => list !== undefined),
    signature: lists.map(({ thread, list }) => `${thread}: ${list}`).join('\n'),
  };
}

function childrenOfThread(pid: number, thread: number): string | undefined {
  try {
    return textOfSync(`/proc/${pid}/task/${thread}/children`);
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    return readStatSync(pid)?.parent;
  } catch {
    return undefined;
  }
}

/**
 * The same as {@link descendantsOf} without blocking the event loop, for trees of thousands of
 * processes: one scan of all processes for their parents.
 */
export async function readDescendants(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  await eachOf(await readPids(), async (pid) => {
    const stat = await readStat(pid).catch(() => undefined);
    if (!stat) return;
    const siblings = children.get(stat.parent);
    if (siblings) siblings.push(pid);
    else children.set(stat.parent, [pid]);
  });
  const found = new Set([root]);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}
