import { setImmediate as nextTurn } from 'node:timers/promises';
import { CriuError } from '../errors.ts';
import { readNamespacesSync } from '../procfs/namespaces.ts';
import { readStatSync, stateOf } from '../procfs/stat.ts';
import { unrestorableNamespaces } from './checks/namespaces.ts';
import type { PreflightOptions } from './options.ts';

/** How many processes are read in one turn of the event loop: about a millisecond's worth. */
const BATCH = 16;

/**
 * Checks that a tree is not one of those that CRIU dumps and ends, but cannot restore.
 * @param tree its pids, the root first
 * @throws CriuError ERR_CRIU_PREFLIGHT
 */
export async function assertRestorable(
  operation: string,
  tree: readonly number[],
  options: PreflightOptions,
): Promise<void> {
  const caller = { namespaces: readNamespacesSync('self') };
  const processes: ReturnType<typeof readProcess> = [];
  for (const [index, each] of tree.entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    processes.push(...readProcess(each));
  }
  const [root] = processes;
  if (root === undefined || root.pid !== tree[0]) return;
  const { pid } = root;
  const findings = unrestorableNamespaces({ root, processes, caller }, options);
  const [first] = findings;
  if (!first) return;
  throw new CriuError(
    'ERR_CRIU_PREFLIGHT',
    `${operation}: process ${pid} could not be restored: ${first.message}. ${first.remedy} To dump it all the same, set force: true.`,
    { operation, pid, option: 'force', workload: stateOf(pid), findings },
  );
}

/** Empty for what may not be read or has ended, which is left to the dump. */
function readProcess(pid: number) {
  try {
    const stat = readStatSync(pid);
    return stat ? [{ pid, stat, namespaces: readNamespacesSync(pid) }] : [];
  } catch {
    return [];
  }
}
