import { CriuError } from '../errors.ts';
import { readNamespaces } from '../procfs/namespaces.ts';
import { eachOf } from '../procfs/read.ts';
import { readStat, stateOf } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { unrestorableNamespaces } from './checks/namespaces.ts';
import type { PreflightOptions } from './options.ts';

/**
 * Checks that a tree is not one of those that CRIU dumps and ends, but cannot restore.
 * @throws CriuError ERR_CRIU_PREFLIGHT
 */
export async function assertRestorable(
  operation: string,
  pid: number,
  options: PreflightOptions,
): Promise<void> {
  const caller = { namespaces: await readNamespaces('self') };
  // What may not be read or has ended is left to the dump.
  const processes = await eachOf(descendantsOf(pid), async (each) => {
    const [stat, namespaces] = await Promise.all([readStat(each), readNamespaces(each)]).catch(
      () => [undefined, undefined] as const,
    );
    return stat && namespaces && { pid: each, stat, namespaces };
  });
  const [root] = processes;
  if (root?.pid !== pid) return;
  const findings = unrestorableNamespaces({ root, processes, caller }, options);
  const [first] = findings;
  if (!first) return;
  throw new CriuError(
    'ERR_CRIU_PREFLIGHT',
    `${operation}: process ${pid} could not be restored: ${first.message}. ${first.remedy} To dump it all the same, set force: true.`,
    { operation, pid, option: 'force', workload: stateOf(pid), findings },
  );
}
