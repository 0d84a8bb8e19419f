import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { Criu, LazyRestored, LazyRestoreOptions } from '../../src/index.ts';
import { children, type Holdings } from './own-resources.ts';
import { killAfterTest, waitFor } from './workload.ts';

/** Finds the lazy-pages daemon that this process has started since `before` was taken. */
export async function daemonOf({ children: earlier }: Pick<Holdings, 'children'>): Promise<number> {
  const daemons: number[] = [];
  // While children end, the kernel's list may omit others, and may name some that are gone.
  const found = async () => {
    const started = (await children()).filter((pid) => !earlier.includes(pid));
    const commands = started.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    const commandLines = await Promise.all(commands);
    daemons.push(...started.filter((_, index) => commandLines[index]?.includes('lazy-pages')));
    return daemons.length > 0;
  };
  await waitFor(found, 'there is a daemon');
  const [daemon = 0] = daemons;
  killAfterTest(daemon);
  return daemon;
}

/** Restores lazily, and stops the daemon before it has delivered much. */
export async function restoreWithStoppedDaemon(
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

/** Lets a stopped daemon run in short steps until the condition holds; it is stopped again then. */
export async function serveStepwiseUntil(
  daemon: number,
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  while (!(await condition())) {
    process.kill(daemon, 'SIGCONT');
    spin();
    process.kill(daemon, 'SIGSTOP');
    await turn();
  }
}

/** Passes about a millisecond, in which a daemon delivers a few MiB, without doing anything else meanwhile. */
export function spin(): void {
  for (const end = performance.now() + 1; performance.now() < end; );
}
