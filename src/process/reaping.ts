import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../native/index.ts';
import { isDead } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';
import { openPidfd } from './exit.ts';

/** How long the parents of ended processes may take to reap them, in milliseconds. */
const REAP_LIMIT_MS = 3000;
/**
 * Node and this library reap a child in the turn of the event loop after its end. A child of an init
 * process that is a zombie for longer than this has fallen to it by the death of its parent.
 */
const UNCLAIMED_MS = 1000;
const MAX_POLL_MS = 20;

export interface Reaping {
  /** True while the pid is in use and waited for. */
  readonly isInUse: (pid: number) => boolean;
  /** True if nothing else in this process waits for this child, which may be reaped at once. */
  readonly isOrphan?: (pid: number) => boolean;
  /** Ends the wait early. */
  readonly cancelled?: Promise<void>;
}

/**
 * Waits until ended processes are reaped and their pids are free, at most 3 seconds. Reaps
 * those that have fallen to this process.
 * @returns the pids that are still in use
 */
export async function awaitReaped(
  pids: readonly number[],
  { isInUse, isOrphan = () => false, cancelled }: Reaping,
): Promise<number[]> {
  const left = [...pids];
  let isCancelled = false;
  cancelled?.then(() => {
    isCancelled = true;
  });
  const start = performance.now();
  for (let pollMs = 1; ; pollMs = Math.min(2 * pollMs, MAX_POLL_MS)) {
    const waitedMs = performance.now() - start;
    // Reads only one process that is in use, because there may be thousands.
    for (let pid = left.at(-1); pid !== undefined; pid = left.at(-1)) {
      const mayReap = isOrphan(pid) || (process.pid === 1 && waitedMs >= UNCLAIMED_MS);
      if (isInUse(pid) && !(mayReap && reapChild(pid))) break;
      left.pop();
    }
    if (left.length === 0 || isCancelled || waitedMs >= REAP_LIMIT_MS) return left.filter(isInUse);
    await sleep(pollMs);
  }
}

/** Reaps a process if it is a child of this process and has ended; returns true if it did. */
export function reapChild(pid: number): boolean {
  const status = statusOf(pid);
  if (!status || !isDead(status) || status.parent !== process.pid) return false;
  const pidfd = openPidfd(pid);
  if (pidfd === undefined) return false;
  try {
    return Boolean(native().wait(pidfd));
  } finally {
    native().close(pidfd);
  }
}
