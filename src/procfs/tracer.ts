import { open } from 'node:fs/promises';
import { isDead, readStat } from './stat.ts';
import { readStatus } from './status.ts';

/** What prevents tracing a process at this moment. */
export type Tracer =
  /** Another process traces it, and a process can have only one tracer. */
  | { readonly by: 'tracer'; readonly pid: number; readonly name: string }
  /** It is a kernel thread. */
  | { readonly by: 'kernel' }
  /** The kernel does not permit this process, nor a criu that it starts, to trace it. */
  | { readonly by: 'denied' }
  /** Nothing. */
  | { readonly by: 'nobody' };

/** Finds out what prevents tracing a process; undefined if it is gone. */
export async function tracerOf(pid: number): Promise<Tracer | undefined> {
  const tracer = await look(pid);
  // A tracer without a name is ending at this moment; a second look finds that it has detached.
  return tracer?.by === 'tracer' && tracer.name === '' ? await look(pid) : tracer;
}

async function look(pid: number): Promise<Tracer | undefined> {
  const status = await readStatus(pid).catch(() => undefined);
  if (!status) return undefined;
  if (status.tracer !== 0) {
    const name = (await readStat(status.tracer).catch(() => undefined))?.name ?? '';
    return { by: 'tracer', pid: status.tracer, name };
  }
  if (isDead(status)) return undefined;
  if (!status.hasMemory) return { by: 'kernel' };
  return { by: (await mayTrace(pid)) ? 'nobody' : 'denied' };
}

/** Opens the process's memory, for which the kernel requires the same permission as for tracing. */
async function mayTrace(pid: number): Promise<boolean> {
  try {
    await open(`/proc/${pid}/mem`).then((handle) => handle.close());
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return !['EACCES', 'EPERM'].includes(code);
  }
}
