import { endAllFound } from '../process/kill-tree.ts';
import { type Mapping, readMapsSync } from '../procfs/maps.ts';
import { programOf } from '../procfs/program.ts';
import { readSessionSync } from '../procfs/session.ts';
import { isDead } from '../procfs/stat.ts';
import { type Status, statusOf } from '../procfs/status.ts';

/**
 * Finds the processes of a tree that criu left half-restored when it ended. They would wait for
 * criu forever.
 * @param tree pids that were free before the restore
 * @param isOurs true if the restore got far enough that no other restore can have created these
 * processes; then processes that already run, in a session of the tree, are included
 * @param program the file that criu executed; undefined if it is not known
 */
export function halfRestoredAmong(
  tree: readonly number[],
  isOurs: boolean,
  program: string | undefined,
): number[] {
  return tree.filter((pid) => {
    const status = statusOf(pid);
    if (!status || isDead(status) || isAttached(status, program)) return false;
    const [session = 0] = status.sessions;
    return isHalfRestored(pid, program) || (isOurs && tree.includes(session));
  });
}

/**
 * Kills the processes that a dead criu left half-restored in its session. Programs that criu
 * started, such as iptables-restore, are left to end by themselves.
 * @param session the pid of that criu, which was the session leader and is reaped
 * @param program the file that it executed; undefined if it is not known
 */
export async function killSessionOrphans(
  session: number,
  program: string | undefined,
): Promise<void> {
  await endAllFound(() => orphansOf(session, program));
}

function orphansOf(session: number, program: string | undefined): number[] {
  // The pid is reused, which the kernel allows only once all members of the old session are gone.
  if (statusOf(session)) return [];
  return readSessionSync(session)
    .filter((member) =>
      // A zombie that is a child of this process has to be reaped.
      isDead(member) ? member.parent === process.pid : isHalfRestored(member.pid, program),
    )
    .map(({ pid }) => pid);
}

/** True if a process may be half-restored; also for an exiting process, which has no mappings. */
export function mayBeHalfRestored(pid: number, program: string | undefined): boolean {
  return isHalfRestored(pid, program) || mapsOf(pid).length === 0;
}

/** True if a process of a failed restore is a zombie, or is about to die because criu has killed it. */
export function isEnding(pid: number, program: string | undefined): boolean {
  const status = statusOf(pid);
  if (!status) return false;
  return isDead(status) || (!isAttached(status, program) && mayBeHalfRestored(pid, program));
}

/**
 * True if a process has a tracer, or criu as its parent: then the process belongs to another restore,
 * or is found together with its parent.
 */
function isAttached({ tracer, parent }: Status, program: string | undefined): boolean {
  return tracer !== 0 || executes(parent, program);
}

/** True if a process is still a copy of criu, or runs CRIU's restorer. */
function isHalfRestored(pid: number, program: string | undefined): boolean {
  return executes(pid, program) || isInRestorer(pid);
}

/** True if a process executes criu. The program of a criu service is not known: its usual name counts. */
function executes(pid: number, program: string | undefined): boolean {
  return program === undefined ? statusOf(pid)?.name === 'criu' : programOf(pid) === program;
}

/**
 * True if CRIU's restorer is still mapped in a process whose name and memory are restored already.
 * The restorer is one contiguous area: its code, its stack and data, and last the memory that it
 * shares with criu. Source: CRIU's criu/cr-restore.c, sigreturn_restore.
 */
export function isInRestorer(pid: number): boolean {
  let end: number | undefined;
  for (const mapping of mapsOf(pid)) {
    if (mapping.start === end) {
      if (isSharedWithCriu(mapping)) return true;
      end = mapping.end;
    } else {
      end = isRestorerCode(mapping) ? mapping.end : undefined;
    }
  }
  return false;
}

function isRestorerCode({ permissions, device, inode, path }: Mapping): boolean {
  return permissions === 'rwxp' && device === '00:00' && inode === 0 && path === '';
}

function isSharedWithCriu({ permissions, path }: Mapping): boolean {
  return permissions === 'rw-s' && path === '/dev/zero (deleted)';
}

function mapsOf(pid: number): Mapping[] {
  try {
    return readMapsSync(pid);
  } catch {
    return [];
  }
}
