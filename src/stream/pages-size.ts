import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapFileOf, readMaps } from '../procfs/maps.ts';
import { readAnonymousMemory } from '../procfs/smaps.ts';
import { readStatus } from '../procfs/status.ts';
import { descendantsOf } from '../procfs/tree.ts';

/** The unit of `st_blocks`: see stat(2). */
const STAT_BLOCK = 512;
/** Mappings that CRIU dumps although the kernel does not count them: the vDSO, and the rings of io_setup(2). */
const COMPLETE: ReadonlySet<string> = new Set(['[vdso]', '/[aio] (deleted)']);
/** What a size exceeds the kernel's count by, so that no page too many makes the dump fail. */
const MARGIN = 1 << 16;

/**
 * The most bytes that CRIU writes into the pages file of a pagemap, from what the kernel says about the frozen
 * processes: of private memory what is anonymous, in memory or swapped out; of shared memory what is allocated.
 * That is what CRIU writes, but for the margin. Undefined if it is not known.
 * @param root the root of the dumped tree
 * @param pagemap the name of the pagemap image
 */
export async function pagesLimit(root: number, pagemap: string): Promise<number | undefined> {
  const [, kind, id] = /^pagemap-(shmem-)?(\d+)\.img$/.exec(pagemap) ?? [];
  if (id === undefined) return undefined;
  return kind === undefined
    ? await privateLimit(root, Number(id))
    : await sharedLimit(root, Number(id));
}

/** @param id the pid in the namespace of the root */
async function privateLimit(root: number, id: number): Promise<number | undefined> {
  const level = ((await readStatus(root))?.pids.length ?? 1) - 1;
  for (const pid of descendantsOf(root)) {
    if ((await readStatus(pid))?.pids[level] !== id) continue;
    const anonymous = await readAnonymousMemory(pid);
    if (anonymous === undefined) return undefined;
    const complete = (await readMaps(pid)).filter(({ path }) => COMPLETE.has(path));
    return complete.reduce((sum, { start, end }) => sum + end - start, anonymous + MARGIN);
  }
  return undefined;
}

/** @param id the number of the segment, which is the inode of its mappings */
async function sharedLimit(root: number, id: number): Promise<number | undefined> {
  for (const pid of descendantsOf(root)) {
    const mapping = (await readMaps(pid)).find(
      ({ inode, permissions }) => inode === id && permissions.endsWith('s'),
    );
    if (!mapping) continue;
    const file = join(`/proc/${pid}/map_files`, mapFileOf(mapping));
    const blocks = await stat(file).then(
      ({ blocks }) => blocks,
      () => undefined,
    );
    if (blocks !== undefined) return blocks * STAT_BLOCK + MARGIN;
  }
  return undefined;
}
