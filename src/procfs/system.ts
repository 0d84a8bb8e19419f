import { textOf, textOfSync } from './read.ts';

/** Reads the id of this boot of the host. */
export function readBootIdSync(): string {
  return textOfSync('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Reads the largest pipe that a process without CAP_SYS_RESOURCE may make, in bytes. */
export async function readMaxPipeSize(): Promise<number | undefined> {
  const text = await textOf('/proc/sys/fs/pipe-max-size').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/** Reads the limit of pids: all are below it. */
export async function readMaxPid(): Promise<number | undefined> {
  const text = await textOf('/proc/sys/kernel/pid_max').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/** Reads how much memory new programs can use without swapping, in bytes. */
export async function readAvailableMemory(): Promise<number | undefined> {
  const text = await textOf('/proc/meminfo').catch(() => undefined);
  const kib = /^MemAvailable:\s*(\d+)/m.exec(text ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** True if the processor has memory protection keys and the kernel uses them. */
export async function readHasProtectionKeys(): Promise<boolean> {
  return / ospke\b/.test((await textOf('/proc/cpuinfo', 65_536)) ?? '');
}
