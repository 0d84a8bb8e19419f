import { setTimeout as sleep } from 'node:timers/promises';
import { KILL_TIMEOUT_MS } from '../process/kill-tree.ts';
import { readSessionSync } from '../procfs/session.ts';
import { isDead } from '../procfs/stat.ts';

const POLL_MS = 5;

/**
 * Kills every process in the session of a criu that has just ended, whatever its name and state, and
 * resolves when none of them is alive. Call it as soon as criu, the leader of the session, is reaped:
 * its pid, by which the kernel finds the others, is not reused yet.
 *
 * No process can escape by forking. The kernel signals a process group and adds a new process to it
 * under the same lock: the new process gets the signal as well, or the fork fails. So from the signal
 * on no member is added, and a scan of /proc that finds none alive is final.
 */
export async function killSession(leader: number): Promise<void> {
  // criu and what it starts stay in one process group.
  signal(-leader);
  for (let waited = 0; waited < KILL_TIMEOUT_MS; waited += POLL_MS) {
    const alive = readSessionSync(leader).filter((member) => !isDead(member));
    if (alive.length === 0) return;
    // The signal does not reach a member that has made a process group of its own.
    for (const { pid } of alive) signal(pid);
    await sleep(POLL_MS);
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended.
  }
}
