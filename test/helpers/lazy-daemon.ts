import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Criu, LazyRestored, LazyRestoreOptions } from '../../src/index.ts';
import { children, type Holdings } from './own-process.ts';
import { killAfterTest } from './workload.ts';

/** The lazy-pages daemon among the children of this process that have come since. */
export async function daemonOf({ children: earlier }: Pick<Holdings, 'children'>): Promise<number> {
  const late = (await children()).filter((pid) => !earlier.includes(pid));
  const commands = await Promise.all(
    late.map(async (pid) => {
      // Others may end meanwhile.
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return [pid, command] as const;
    }),
  );
  const daemon = commands.find(([, command]) => command.includes('lazy-pages'));
  if (!daemon) throw new Error('there is no daemon');
  killAfterTest(daemon[0]);
  return daemon[0];
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
