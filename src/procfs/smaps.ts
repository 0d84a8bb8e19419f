import { type Pid, textOf } from './read.ts';

/** Counts the mappings in /proc/PID/smaps with a memory protection key other than the default one. */
export function parseProtectionKeys(smaps: string): number {
  return [...smaps.matchAll(/^ProtectionKey:\s+(\d+)$/gm)].filter(([, key]) => key !== '0').length;
}

/** Reads how many mappings of a process have a memory protection key. */
export async function readProtectionKeys(pid: Pid): Promise<number> {
  return parseProtectionKeys((await textOf(`/proc/${pid}/smaps`, 65_536)) ?? '');
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
