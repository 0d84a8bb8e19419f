import { readFileSync } from 'node:fs';

/** Where /proc/PID/stat has the time of the start, behind the name. */
const START_TIME = 19;

/** When a process was started, by the kernel's clock; undefined if there is none. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME];
  } catch {
    return undefined;
  }
}
