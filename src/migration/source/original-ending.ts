import { Cleanup } from '../../cleanup/cleanup.ts';
import type { WorkloadState } from '../../errors.ts';
import { native } from '../../native/index.ts';
import { StoppedTree } from '../../postcopy/stopped-tree.ts';
import { exitWithin, openPidfd, watchExit } from '../../process/exit.ts';
import { KILL_TIMEOUT_MS } from '../../process/kill-tree.ts';
import { SIGKILL } from '../../process/terminate.ts';
import { stateOf } from '../../procfs/stat.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { logsOf, type OutgoingFacts, type OutgoingJournal } from '../journal/outgoing-journal.ts';
import { pidsOf, startTimeOf } from '../protocol/identity.ts';

/** How long a criu may take to roll back after its agent died, in milliseconds. */
const ROLLBACK_MS = 3000;

/** What was done with the original, and what could not be cleaned up. */
export interface OriginalEnding {
  readonly done: 'resumed' | 'ended' | 'nothing';
  readonly leftovers: readonly string[];
}

/**
 * Resumes or ends the original of a migration whose agent has died. Idempotent.
 * @param beforeResume called and awaited once the original can resume
 */
export async function finishOriginal(
  action: 'resume' | 'end',
  journal: OutgoingJournal,
  images: string,
  beforeResume: () => Promise<void>,
): Promise<OriginalEnding> {
  const { pid = 0, stoppedBefore = [], undo = {}, tree: names } = journal.entry ?? {};
  const tree = names ? pidsOf(names) : descendantsOf(pid);
  // The line is durable before the action: if this process dies, the next one repeats the action.
  await journal.write(action === 'resume' ? 'aborting' : 'ending', { agent: '' });
  const exists = workloadOf(journal.entry ?? {}) !== 'gone';
  let leftovers: string[] = [];
  using cleanup = await Cleanup.late(exists ? tree : [], undo);
  const log = await logsOf(images, undo.logFile);
  if (action === 'end') {
    if (exists) await endOriginal(pid, tree, journal.entry?.criu);
    leftovers = await cleanup.unlock(log);
  } else {
    if (exists) await endCriu(journal.entry?.criu, ROLLBACK_MS);
    // Without a log there was no dump.
    if (exists && log) leftovers = await cleanup.rollBack(undefined, log);
    await beforeResume();
    if (exists) new StoppedTree(tree, new Set(stoppedBefore)).resume();
  }
  await journal.write(action === 'resume' ? 'aborted' : 'done');
  const done = action === 'end' ? 'ended' : 'resumed';
  return { done: exists ? done : 'nothing', leftovers };
}

/** The state of the original; gone if its pid belongs to another process by now. */
export function workloadOf({ pid = 0, startTime }: Partial<OutgoingFacts>): WorkloadState {
  return startTimeOf(pid) === startTime ? stateOf(pid) : 'gone';
}

/**
 * Kills the criu of the dump if it still runs although its agent died. First it gets time to roll back by
 * itself, which is safer; a criu that serves pages never ends by itself.
 * @param criu its name in the journal; none if the tree was not frozen yet, when criu fails by itself
 */
async function endCriu(criu: readonly string[] = [], patienceMs: number): Promise<void> {
  const [pid] = pidsOf(criu);
  const pidfd = pid === undefined ? undefined : openPidfd(pid);
  if (pidfd === undefined) return;
  const watch = watchExit(pidfd);
  await exitWithin(patienceMs, watch);
  if (watch.status) return;
  // Known by its start time again: the pid may have been reused just before the pidfd was opened.
  if (pidsOf(criu).length > 0) native().pidfdSendSignal(pidfd, SIGKILL);
  await exitWithin(KILL_TIMEOUT_MS, watch);
}

async function endOriginal(
  pid: number,
  tree: readonly number[],
  criu: readonly string[] | undefined,
): Promise<void> {
  new StoppedTree(tree, new Set()).kill();
  await endCriu(criu, 0);
  const pidfd = openPidfd(pid);
  if (pidfd !== undefined) await exitWithin(KILL_TIMEOUT_MS, watchExit(pidfd));
}
