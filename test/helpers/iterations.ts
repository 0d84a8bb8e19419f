import { cp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Criu, CriuError } from '../../src/index.ts';
import { runningCriu } from './checkpoints.ts';
import type { MemoryWorkload } from './memory-workload.ts';
import { temporaryDirectory, waitFor, waitGone } from './workload.ts';

/**
 * The criu of an iteration and what it has forked for a round, once it has. In a pre-dump criu asks
 * for nothing: that it is in the middle of it shows only in this way.
 */
export async function preDumping(): Promise<{ criu: number; child: number }> {
  const criu = await runningCriu();
  // It may have ended by the time of another look.
  let children = '';
  const forks = async () => {
    children = await readFile(`/proc/${criu}/task/${criu}/children`, 'utf8');
    return children !== '';
  };
  await waitFor(forks, 'criu is at a pre-dump');
  const child = Number(children.trim().split(' ')[0]);
  if (!(child > 0)) throw new Error(`these are no pids: ${children}`);
  return { criu, child };
}

/** A new iteration comes to its end, and the memory is whole after the restore. */
export async function completes(criu: Criu, memory: MemoryWorkload): Promise<void> {
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  await iteration.preDump();
  const { directory } = await iteration.dump();
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
  await memory.writesOn();
}

/** Brings the images that a page server does not take to those that it took, and restores there. */
export async function restoreFrom(
  criu: Criu,
  far: string,
  near: string,
  pid: number,
): Promise<void> {
  const there = join(far, basename(near));
  const names = (await readdir(near)).filter((name) => name !== 'parent');
  for (const name of names) await cp(join(near, name), join(there, name), { force: false });
  await waitGone(pid);
  await criu.restore({ imagesDirectory: there });
}

/** What an error says is left behind, as a row of the table of faults has it. */
export function leftBy({ leftovers }: CriuError): string {
  return leftovers?.length ? leftovers.join('; ') : 'nothing';
}
