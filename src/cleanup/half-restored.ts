import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExitWatch, openPidfd, watchExit } from '../process/exit.ts';
import { killTrees } from '../process/kill-tree.ts';

/** How long killed processes may take to be gone, in milliseconds. */
export const DYING_MS = 5000;
const POLL_MS = 5;

/**
 * Which processes of a tree a criu that has ended had begun to restore, and not finished: they would
 * wait for it forever, or are what is left of the tree. The pids were free before that.
 * @param isOurs whether CRIU had come so far that no other restore can have made them
 */
export function unfinishedAmong(tree: readonly number[], isOurs: boolean): number[] {
  return tree.filter((pid) => {
    const status = statusOf(pid);
    if (!status || status.dead || !isAbandoned(status)) return false;
    // At last it runs by itself, in a session of the tree.
    return isCriuStill(pid, status) || (isOurs && tree.includes(status.session));
  });
}

/** Whether a restored process waits for criu still: for one that lives, or in vain for one that has died. */
export function waitsForCriu(pid: number): 'yes' | 'in vain' | 'no' {
  const status = statusOf(pid);
  if (!status || status.dead) return 'no';
  const isHeld = [status.tracer, status.parent].some((by) => statusOf(by)?.name === 'criu');
  if (isHeld) return 'yes';
  return isCriuStill(pid, status) ? 'in vain' : 'no';
}

/**
 * Kills the processes that a dead criu left half-restored in its session: they would wait for criu
 * forever. Programs that criu has started, such as iptables-restore, are left to end by themselves.
 */
export async function killSessionOrphans(session: number): Promise<void> {
  const killed = new Set<number>();
  // A process may fork between the scan and the kill: the next scan finds its children.
  for (;;) {
    const orphans = orphansOf(session).filter((pid) => !killed.has(pid));
    if (orphans.length === 0) return;
    await end(orphans);
    for (const pid of orphans) killed.add(pid);
  }
}

function orphansOf(session: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const status = pid > 0 ? statusOf(pid) : undefined;
      if (status?.session !== session) return false;
      // A dead child of this process waits for us.
      return status.dead ? status.parent === process.pid : isCriuStill(pid, status);
    });
}

/** Kills processes and all below them, and resolves when they are gone; those that are ours, reaped. */
export async function end(pids: readonly number[]): Promise<void> {
  const pidfds = pids.map(openPidfd).filter((pidfd) => pidfd !== undefined);
  const killed = killTrees(pids);
  await Promise.all(pidfds.map((pidfd) => inTime(watchExit(pidfd))));
  // The others are nobody's duty here, and may be too many for a descriptor each.
  for (let waited = 0; waited < DYING_MS && killed.some(isAlive); waited += POLL_MS) {
    await sleep(POLL_MS);
  }
}

/** Resolves when a process has ended, or takes too long for that. */
export async function inTime(watch: ExitWatch): Promise<void> {
  if (watch.status) return;
  const ended = new AbortController();
  const late = sleep(DYING_MS, undefined, ended).catch(() => {});
  watch.ref();
  await Promise.race([watch.exited, late]);
  watch.unref();
  ended.abort();
}

/** Whether a process is there and has not ended. */
export function isAlive(pid: number): boolean {
  return statusOf(pid)?.dead === false;
}

/**
 * What a criu traces, or is the child of one, is not waiting in vain: another restore has made it,
 * or it belongs to one that is found itself.
 */
function isAbandoned({ tracer, parent }: Status): boolean {
  return tracer === 0 && statusOf(parent)?.name !== 'criu';
}

function isCriuStill(pid: number, { name }: Status): boolean {
  return name === 'criu' || isInRestorer(pid);
}

/** Whether a process can be one that CRIU had not finished: also if it is dying, and has no memory any more. */
export function mayBeUnfinished(pid: number, status: Status): boolean {
  return isCriuStill(pid, status) || read(pid, 'maps') === '';
}

/**
 * Whether CRIU's code is still in a process that has its name and memory back: in one piece, that
 * code, its stack and data, and last the memory that it shares with criu.
 */
function isInRestorer(pid: number): boolean {
  let end: string | undefined;
  for (const line of read(pid, 'maps').split('\n')) {
    const [, start, next, what = ''] = /^([0-9a-f]+)-([0-9a-f]+) (.*)$/.exec(line) ?? [];
    if (end !== undefined && start === end) {
      if (/^rw-s .* \/dev\/zero \(deleted\)$/.test(what)) return true;
      end = next;
    } else {
      end = /^rwxp 0+ 00:00 0\s*$/.test(what) ? next : undefined;
    }
  }
  return false;
}

interface Status {
  readonly name: string;
  readonly dead: boolean;
  readonly parent: number;
  readonly tracer: number;
  readonly session: number;
}

/** What the kernel says of a process; undefined if it is gone. */
export function statusOf(pid: number): Status | undefined {
  const status = read(pid, 'status');
  if (status === '') return undefined;
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return {
    name: field('Name'),
    dead: 'ZX'.includes(field('State')),
    parent: Number(field('PPid')),
    tracer: Number(field('TracerPid')),
    session: Number(field('NSsid')),
  };
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
