import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Files } from '../process/files.ts';
import { headerOf } from './image-kinds.ts';

const FILE = 'pstree.img';
const HEADER = headerOf('PSTREE');
const HEADER_SIZE = 8;
/** The protobuf tags of the fields `pid`, which is the first of an entry, and `threads`. */
const PID_TAG = 0x08;
const THREAD_TAG = 0x28;

/** A process of a dumped tree. */
export interface TreeEntry {
  readonly pid: number;
  /** The ids of all its threads; the first one's is the pid, or undefined for a zombie. */
  readonly threads: readonly number[];
}

/**
 * The pids that the processes of a dumped tree had in their own pid namespace, the root's first; empty if
 * there is no file that can be read.
 */
export function treePids(directory: string): number[] {
  try {
    return treeOf(readFileSync(join(directory, FILE))).map(({ pid }) => pid);
  } catch {
    return [];
  }
}

/**
 * The ids of all processes and threads that a restore creates, each once, the root's first. None
 * if it creates them in a pid namespace of their own, where all ids are free: CRIU restores a root that
 * has the pid 1 only there.
 */
export function idsToRestore(tree: readonly TreeEntry[]): number[] {
  if (tree[0]?.pid === 1) return [];
  return [...new Set(tree.flatMap(({ pid, threads }) => [pid, ...threads.slice(1)]))];
}

/**
 * Reads the processes of a dumped tree, the root first, with the ids of their own pid namespace.
 * Stops at what cannot be read: CRIU reports damaged images itself.
 * @param files how to make calls on files in the directory
 */
export async function readTree(directory: string, files: Files): Promise<TreeEntry[]> {
  const bytes = await files.readFile(join(directory, FILE)).catch(() => undefined);
  return bytes ? treeOf(bytes) : [];
}

/**
 * The processes of a dumped tree, from the content of its image. Decoded by hand, because every restore does it
 * before CRIU is asked.
 */
export function treeOf(bytes: Buffer): TreeEntry[] {
  if (bytes.length < HEADER_SIZE) return [];
  if (HEADER.some((magic, index) => bytes.readUInt32LE(4 * index) !== magic)) return [];
  // Entries follow, each preceded by its length.
  const tree: TreeEntry[] = [];
  for (let at = HEADER_SIZE; at + 4 < bytes.length; ) {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    const entry = entryOf(bytes.subarray(start, at));
    if (entry === undefined) break;
    tree.push(entry);
  }
  return tree;
}

function entryOf(bytes: Uint8Array): TreeEntry | undefined {
  let pid: number | undefined;
  const threads: number[] = [];
  // All fields are numbers, whose tags take one byte.
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at];
    if (pid === undefined && tag !== PID_TAG) return undefined;
    let value = 0;
    let byte = 0x80;
    for (let index = 0; byte >= 0x80 && index < 10; index++) {
      byte = bytes[++at] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * index);
    }
    at++;
    if (tag !== PID_TAG && tag !== THREAD_TAG) continue;
    const isPid = value > 0 && value <= 0x7fffffff;
    if (tag === PID_TAG && !isPid) return undefined;
    if (tag === PID_TAG) pid = value;
    else if (isPid) threads.push(value);
  }
  return pid === undefined ? undefined : { pid, threads };
}
