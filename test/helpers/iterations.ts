import { cp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Criu, CriuError, PreCopyFunction } from '../../src/index.ts';
import { runningCriu } from './checkpoints.ts';
import type { MemoryWorkload } from './memory-workload.ts';
import { temporaryDirectory, waitFor, waitGone } from './workload.ts';

/** A policy of {@link preCopy} that makes two rounds, whatever they gain. */
export const twoRounds: PreCopyFunction = ({ length }) => (length < 2 ? 'continue' : 'finish');

/**
 * Waits until the criu of an iteration is in the middle of a pre-dump. The only sign is that criu has
 * forked: it sends no notification then. Resolves with both pids.
 */
export async function awaitPreDump(): Promise<{ criu: number; child: number }> {
  const criu = await runningCriu();
  // The child may have ended when the list is read again, so the list is kept.
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

/** Checks that a new iteration makes a round, and that the process continues with its memory intact. */
export async function expectRound(criu: Criu, memory: MemoryWorkload): Promise<void> {
  await using iteration = await criu.iterate(memory.pid, {
    imagesDirectory: await temporaryDirectory(),
  });
  await iteration.preDump();
  await iteration.close();
  await memory.verify();
  await memory.writesOn();
}

/** Checks that a new iteration succeeds, and that the memory is complete after the restore. */
export async function expectIterationCompletes(criu: Criu, memory: MemoryWorkload): Promise<void> {
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  await iteration.preDump();
  const { directory } = await iteration.dump();
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
  await memory.writesOn();
}

/** Copies the images that are not sent to a page server to its directory, and restores there. */
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

/** The leftovers of an error, for the table of faults. */
export function describeLeftovers({ leftovers }: CriuError): string {
  return leftovers?.length ? leftovers.join('; ') : 'nothing';
}
