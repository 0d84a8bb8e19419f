import { readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { childrenOf } from '../../src/procfs/tree.ts';

/** The resources of this process that an operation could leak. */
export interface Holdings {
  /** The links of the open descriptors, sorted. */
  readonly descriptors: readonly string[];
  /** The pids of the children, zombies included, sorted. */
  readonly children: readonly number[];
}

/**
 * Reads the resources of this process until two reads in a row agree: libc opens files for a moment by
 * itself, as when a new thread reads the number of processors.
 */
export async function holdings(): Promise<Holdings> {
  let last = await look();
  for (let reads = 0; reads < 20; reads++) {
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
  return childrenOf(process.pid).sort((a, b) => a - b);
}

/** The children that have come since; those of an earlier test may end meanwhile. */
export async function childrenSince(before: readonly number[]): Promise<number[]> {
  return (await children()).filter((pid) => !before.includes(pid));
}

async function descriptors(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) =>
      // The descriptor with which the directory was read is closed by now.
      readlink(`/proc/self/fd/${fd}`).catch(() => undefined),
    ),
  );
  return links.filter((link) => link !== undefined).sort();
}
