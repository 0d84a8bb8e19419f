import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYING_MS, statusOf } from './half-restored.ts';

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
  for (let waited = 0; waited < DYING_MS; waited += POLL_MS) {
    const alive = membersOf(leader);
    if (alive.length === 0) return;
    // A member that has made a process group of its own has not got the signal.
    for (const pid of alive) signal(pid);
    await sleep(POLL_MS);
  }
}

function membersOf(session: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const status = pid > 0 ? statusOf(pid) : undefined;
      return status?.session === session && !status.dead;
    });
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
