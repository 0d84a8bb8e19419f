import { readdirSync, readFileSync } from 'node:fs';

/** The pids of a process and its descendants; without those that end meanwhile. */
export function processTree(root: number): number[] {
  const found = new Set([root]);
  // The loop also visits what it adds.
  for (const pid of found) for (const child of childrenOf(pid)) found.add(child);
  return [...found];
}

/** The pids of the child processes of a process. */
export function childrenOf(pid: number): number[] {
  const threads = `/proc/${pid}/task`;
  return namesIn(threads).flatMap((thread) =>
    textOf(`${threads}/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/**
 * An estimate of the memory that a process tree takes in images, in bytes. Counts memory that
 * processes share once.
 */
export function estimateMemory(root: number): number {
  const sizes = processTree(root).map((pid) => {
    const status = textOf(`/proc/${pid}/status`);
    const size = (name: string) =>
      1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
    return { own: size('RssAnon') + size('VmSwap'), shared: size('RssShmem') };
  });
  const own = sizes.reduce((sum, { own }) => sum + own, 0);
  return own + Math.max(0, ...sizes.map(({ shared }) => shared));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // The process or thread has ended.
    return '';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // The process has ended.
    return [];
  }
}
