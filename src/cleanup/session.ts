import { setTimeout as sleep } from 'node:timers/promises';
import { native } from '../native/index.ts';
import { openPidfd } from '../process/exit.ts';
import { KILL_TIMEOUT_MS } from '../process/kill-tree.ts';
import { SIGKILL } from '../process/terminate.ts';
import { readSessionSync } from '../procfs/session.ts';
import { isAlive, isDead, readStatSync } from '../procfs/stat.ts';

const POLL_MS = 5;

/**
 * Kills every process in the session of a criu that has ended, whatever its name and state. Call it
 * before criu, the leader of the session and a child of this process, is reaped: as long as criu is a
 * zombie, the kernel gives its pid to no other process, group or session. Does nothing if criu is
 * reaped already, as by the kernel where SIGCHLD is ignored.
 *
 * No process can escape by forking. The kernel signals a process group and adds a new process to it
 * under the same lock: the new process gets the signal as well, or the fork fails.
 * @returns the pids of the members that were alive
 */
export function killSession(leader: number): number[] {
  if (!isUnreaped(leader)) return [];
  // criu and what it starts stay in one process group.
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The group has no member that this process may signal.
  }
  // The signal does not reach a member that has made a process group of its own.
  const killed = new Set<number>();
  for (;;) {
    const fresh = aliveIn(leader).filter((pid) => !killed.has(pid));
    if (fresh.length === 0) return [...killed];
    for (const pid of fresh) {
      killed.add(pid);
      killMember(pid, leader);
    }
  }
}

function aliveIn(session: number): number[] {
  try {
    const members = readSessionSync(session).filter((member) => !isDead(member));
    return members.map(({ pid }) => pid);
  } catch {
    // No descriptor is left to read /proc with.
    return [];
  }
}

/** Resolves when none of the processes is alive, at the latest after 5 seconds. */
export async function awaitEnd(pids: readonly number[]): Promise<void> {
  for (let waited = 0; waited < KILL_TIMEOUT_MS && pids.some(isAlive); waited += POLL_MS) {
    await sleep(POLL_MS);
  }
}

/** True for a child of this process that has ended and waits to be reaped. */
function isUnreaped(pid: number): boolean {
  try {
    const stat = readStatSync(pid);
    return stat !== undefined && isDead(stat) && stat.parent === process.pid;
  } catch {
    return false;
  }
}

/** Kills a process if it is still in the session: its pid may have been reused since the scan. */
function killMember(pid: number, session: number): void {
  let pidfd: number | undefined;
  try {
    pidfd = openPidfd(pid);
    if (pidfd === undefined || readStatSync(pid)?.session !== session) return;
    native().pidfdSendSignal(pidfd, SIGKILL);
  } catch {
    // The process has ended.
  } finally {
    if (pidfd !== undefined) native().close(pidfd);
  }
}
