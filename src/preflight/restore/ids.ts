import { existsSync } from 'node:fs';
import type { PreflightFinding } from '../../finding.ts';
import { type Checkpoint, hasOwnNamespace } from '../../images/checkpoint.ts';
import { describeOccupant, isZombie } from '../../procfs/occupant.ts';
import { readPids } from '../../procfs/processes.ts';
import { eachOf } from '../../procfs/read.ts';
import { readStat } from '../../procfs/stat.ts';
import { readMaxPid } from '../../procfs/system.ts';
import { found } from '../checks/check.ts';
import { nameOf, type RestoreCheck } from './subject.ts';

/** An id that the restore gives to a process, a thread, or the helper that makes a group or session. */
interface NeededId {
  readonly id: number;
  readonly pid: number;
  readonly use: string;
}

/** The ids of the tree that are taken here, unless the restore makes a pid namespace for them. */
export const ids: RestoreCheck = async ({ checkpoint, options: { shellJob = false } }) => {
  if (hasOwnNamespace(checkpoint, 'pid_ns_id')) return [];
  const taken = await takenIds();
  const maximum = await readMaxPid();
  return neededIds(checkpoint, shellJob).flatMap((needed) => [
    ...(taken.has(needed.id) ? inUse(needed) : []),
    ...(maximum !== undefined && needed.id >= maximum ? tooHigh(needed, maximum) : []),
  ]);
};

function inUse({ id, pid, use }: NeededId): PreflightFinding[] {
  const occupant = describeOccupant(id);
  if (occupant === undefined) return [];
  const message = `id ${id}, ${use}, is in use by ${occupant}`;
  if (isZombie(id)) {
    const remedy = 'The restore waits a few seconds until its parent reaps it.';
    return [found('PID_IN_USE', { pid }, { severity: 'warning', message, remedy })];
  }
  const remedy =
    'End what uses it, or restore in a new pid namespace (unshare --pid --fork --mount-proc).';
  return [found('PID_IN_USE', { pid }, { message, remedy })];
}

function tooHigh({ id, pid, use }: NeededId, maximum: number): PreflightFinding[] {
  const message = `id ${id}, ${use}, is not below the limit of this host, ${maximum}`;
  const remedy = 'Raise the limit with sysctl kernel.pid_max, for example to 4194304.';
  return [found('PID_TOO_HIGH', { pid }, { message, remedy })];
}

/** Source: CRIU's criu/pstree.c, prepare_pstree_ids and prepare_pstree_for_shell_job. */
function neededIds({ processes }: Checkpoint, shellJob: boolean): NeededId[] {
  const [root] = processes;
  const isLeader = root?.session === root?.pid;
  const needed = new Map<number, NeededId>();
  const add = (id: number, pid: number, use: string) => {
    if (id > 0 && !needed.has(id)) needed.set(id, { id, pid, use });
  };
  for (const process of processes) {
    add(process.pid, process.pid, `the pid of ${nameOf(process)}`);
    for (const id of process.threads) add(id, process.pid, `a thread of ${nameOf(process)}`);
  }
  for (const process of processes) {
    const { pid, group, session } = process;
    const joinsGroup = shellJob && !isLeader && group === root?.group;
    if (!joinsGroup) add(group, pid, `the process group of ${nameOf(process)}`);
    // The root joins the session of criu if it does not lead its own.
    if (isLeader || session !== root?.session)
      add(session, pid, `the session of ${nameOf(process)}`);
  }
  return [...needed.values()];
}

/** The ids of all processes, threads, process groups and sessions. */
async function takenIds(): Promise<{ has(id: number): boolean }> {
  const groups = new Set<number>();
  await eachOf(await readPids(), async (pid) => {
    const stat = await readStat(pid);
    if (!stat) return;
    groups.add(pid).add(stat.group).add(stat.session);
  });
  return { has: (id) => groups.has(id) || existsSync(`/proc/${id}`) };
}
