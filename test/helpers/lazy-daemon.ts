import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Criu, LazyRestored, LazyRestoreOptions } from '../../src/index.ts';
import { children, type Holdings } from './own-resources.ts';
import { killAfterTest, waitFor } from './workload.ts';

/** The lazy-pages daemon among the children of this process that have come since. */
export async function daemonOf({ children: earlier }: Pick<Holdings, 'children'>): Promise<number> {
  const daemons: number[] = [];
  // While others end, the kernel may leave one out of the list, and what is in it may be gone.
  const found = async () => {
    const late = (await children()).filter((pid) => !earlier.includes(pid));
    const commands = late.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    const said = await Promise.all(commands);
    daemons.push(...late.filter((_, index) => said[index]?.includes('lazy-pages')));
    return daemons.length > 0;
  };
  await waitFor(found, 'there is a daemon');
  const [daemon = 0] = daemons;
  killAfterTest(daemon);
  return daemon;
}

/** Restores, with the daemon stopped before it has brought much. */
export async function heldUp(
  criu: Criu,
  before: Pick<Holdings, 'children'>,
  options: LazyRestoreOptions,
): Promise<LazyRestored> {
  const hooks = {
    async preResume() {
      process.kill(await daemonOf(before), 'SIGSTOP');
    },
  };
  return await criu.lazyRestore({ ...options, hooks });
}

/** Has a stopped daemon serve by and by, until something is so; it is stopped again then. */
export async function servesUntil(
  daemon: number,
  isSo: () => Promise<boolean> | boolean,
): Promise<void> {
  while (!(await isSo())) {
    process.kill(daemon, 'SIGCONT');
    await turn();
    process.kill(daemon, 'SIGSTOP');
  }
}
