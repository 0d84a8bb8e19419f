import { readFileSync } from 'node:fs';
import type { WorkloadState } from '../errors.ts';

/** What a process does at this moment, by /proc: at once, since no disk is waited for there. */
export function stateOf(pid: number): WorkloadState {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before the state is in parentheses, and may hold some itself.
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    if ('ZX'.includes(state)) return 'gone';
    return 'Tt'.includes(state) ? 'stopped' : 'running';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'unknown';
  }
}
