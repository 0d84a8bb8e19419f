import { open, readFile } from 'node:fs/promises';

/** What is in the way of tracing a process at this moment. */
export type Hold =
  /** Another process traces it, and only one can. */
  | { readonly by: 'tracer'; readonly pid: number; readonly name: string }
  /** It is a thread of the kernel. */
  | { readonly by: 'kernel' }
  /** This process, and a criu that it starts, may not trace it. */
  | { readonly by: 'law' }
  /** Nothing: what was in the way is no more. */
  | { readonly by: 'nobody' };

/** Looks who holds a process; undefined if it is gone. */
export async function holdOf(pid: number): Promise<Hold | undefined> {
  const hold = await look(pid);
  // A tracer that ends at this moment has no name, and has let go by the time of another look.
  return hold?.by === 'tracer' && hold.name === '' ? await look(pid) : hold;
}

async function look(pid: number): Promise<Hold | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  if (tracer !== 0) return { by: 'tracer', pid: tracer, name: await nameOf(tracer) };
  if (status === '' || /^State:\s*[ZX]/m.test(status)) return undefined;
  if (!/^VmSize:/m.test(status)) return { by: 'kernel' };
  return { by: (await mayTrace(pid)) ? 'nobody' : 'law' };
}

async function nameOf(pid: number): Promise<string> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trimEnd();
}

/** The kernel asks the same of who opens the memory as of who traces. */
async function mayTrace(pid: number): Promise<boolean> {
  try {
    await open(`/proc/${pid}/mem`).then((handle) => handle.close());
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return !['EACCES', 'EPERM'].includes(code);
  }
}
