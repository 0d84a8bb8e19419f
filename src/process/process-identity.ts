import { native } from '../native/index.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { openPidfd } from './exit.ts';
import { ProcessHandle } from './process-handle.ts';

/** A process by its pid and its start, in clock ticks since the boot, because another one may get its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

/** A handle of the process; undefined if it is gone. */
export function handleOf({ pid, startTime }: ProcessIdentity): ProcessHandle | undefined {
  const pidfd = openPidfd(pid);
  if (pidfd === undefined) return undefined;
  if (startTimeOf(pid) === startTime) return new ProcessHandle(pid, pidfd);
  native().close(pidfd);
  return undefined;
}
