import { type Mapping, parseMaps } from './maps.ts';
import { type Pid, textOf } from './read.ts';

/** A mapping in /proc/PID/smaps, and how much memory it has, in bytes. */
export interface MappedMemory extends Mapping {
  readonly resident: number;
  /** What of it is not the content of a file. */
  readonly anonymous: number;
  readonly swapped: number;
  readonly hugePages: number;
  /** True if it cannot be swapped out: mlock(2). */
  readonly isLocked: boolean;
}

/** Parses /proc/PID/smaps. */
export function parseSmaps(smaps: string): MappedMemory[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((part) => {
    const size = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(part)?.[1] ?? 0) * 1024;
    return parseMaps(part.slice(0, part.indexOf('\n') + 1)).map((mapping) => ({
      ...mapping,
      resident: size('Rss'),
      anonymous: size('Anonymous'),
      swapped: size('Swap'),
      hugePages: size('Private_Hugetlb') + size('Shared_Hugetlb'),
      isLocked: /^VmFlags:.* lo\b/m.test(part),
    }));
  });
}

/** Counts the mappings in /proc/PID/smaps with a memory protection key other than the default one. */
export function parseProtectionKeys(smaps: string): number {
  return [...smaps.matchAll(/^ProtectionKey:\s+(\d+)$/gm)].filter(([, key]) => key !== '0').length;
}

/** Reads /proc/PID/smaps; empty for a process that is gone. */
export async function readSmaps(pid: Pid): Promise<string> {
  return (await textOf(`/proc/${pid}/smaps`, 65_536)) ?? '';
}

/**
 * Reads a process's share of memory that is shared without a file, in bytes, from
 * /proc/PID/smaps_rollup; undefined if the kernel does not report it.
 */
export async function readSharedMemoryPss(pid: Pid): Promise<number | undefined> {
  const text = await textOf(`/proc/${pid}/smaps_rollup`);
  const kib = /^Pss_Shmem:\s*(\d+)/m.exec(text ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/**
 * Reads how much memory a process has that is not the content of a file, in bytes, from
 * /proc/PID/smaps_rollup; undefined if the process is gone, or the kernel does not report it.
 */
export async function readAnonymousMemory(pid: Pid): Promise<number | undefined> {
  const text = await textOf(`/proc/${pid}/smaps_rollup`);
  if (!text) return undefined;
  const kib = text.matchAll(/^(?:Anonymous|Swap|Private_Hugetlb|Shared_Hugetlb):\s*(\d+)/gm);
  return [...kib].reduce((sum, [, size]) => sum + 1024 * Number(size), 0);
}
