import { constants } from 'node:os';
import { CriuError } from '../errors.ts';
import { stateOf } from '../procfs/stat.ts';
import type { Client } from './client.ts';

/**
 * Refuses a pid that no process has, before anything is created for it. CRIU would notice only after it
 * has opened its log.
 * @param label begins the error message
 * @throws CriuError ERR_CRIU_NO_SUCH_PROCESS
 */
export function assertExists(client: Client, operation: string, pid: number, label: string): void {
  // The criu of a service may be in another pid namespace.
  if (client.socket !== undefined || stateOf(pid) !== 'gone') return;
  throw new CriuError('ERR_CRIU_NO_SUCH_PROCESS', `${label}: there is no process ${pid}`, {
    operation,
    pid,
    errno: constants.errno.ESRCH,
    workload: 'gone',
  });
}
