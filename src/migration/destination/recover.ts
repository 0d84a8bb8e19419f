import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { restoreStateOf } from '../../cleanup/half-restored.ts';
import { endTrees, KILL_TIMEOUT_MS } from '../../process/kill-tree.ts';
import { readCommandLine, readPids } from '../../procfs/processes.ts';
import { isAlive } from '../../procfs/stat.ts';
import { type How, type IncomingFacts, journalsOf } from '../journal/incoming-journal.ts';
import { Journal, journalsIn, pathOf } from '../journal/journal.ts';
import { isAgentAlive, isElsewhere, isOfHere, pidsOf } from '../protocol/identity.ts';
import { afterRestart, type DestinationState } from '../protocol/states.ts';

/** A copy, as a journal knows it. */
type Copy = Partial<Pick<IncomingFacts, 'startTime' | 'tree'>>;

const POLL_MS = 20;
/** How long the journal of a migration that is over is kept, in milliseconds. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Processes to end at a time: each takes a descriptor. */
const AT_A_TIME = 64;

/** Whether nothing comes after a state. */
export function isOver(state: DestinationState): boolean {
  return state === 'complete' || state === 'aborted' || state === 'failed';
}

/** Puts right what earlier agents have left, and removes journals that nobody asks for any more. */
export async function recoverAll(directory: string): Promise<void> {
  const journals = journalsOf(directory);
  // One after the other: there may be more than this process may open files.
  for (const id of await journalsIn(journals)) {
    const { state } = await recoverIncoming(directory, id);
    const path = pathOf(journals, id);
    const { mtimeMs } = await stat(path);
    const isOld = Date.now() - mtimeMs > KEPT_MS;
    if (isOld && (isOver(state) || state === 'unknown')) await rm(path, { force: true });
  }
}

/**
 * Reads what an agent that has died left in its journal, and puts it right. What an agent sees to that
 * lives is left to it, and so is what cannot be seen from here.
 */
export async function recoverIncoming(directory: string, id: string): Promise<How> {
  await using journal = await Journal.find<DestinationState, IncomingFacts>(
    journalsOf(directory),
    id,
  );
  const entry: Partial<IncomingFacts & { state: DestinationState }> = journal?.entry ?? {};
  const { state = 'unknown', pid = 0, lazy = false, agent, message = '' } = entry;
  const asItIs = { state, pid, message, pages: 0 };
  if (!isOver(state) && isElsewhere(agent)) {
    return { ...asItIs, message: 'its agent ran in another pid namespace: start a server there' };
  }
  if (!journal || isAgentAlive(agent)) return asItIs;
  const images = join(directory, 'images', id);
  const runs = state !== 'complete' && (await wasLetGo(entry));
  const next = afterRestart(state, { runs, lazy });
  // Before it is told: the source may let its original run then. Once that was told, only what hangs.
  if (next !== 'complete' && !(isOver(state) && runs)) await endCopy(entry);
  if (next !== 'complete' && !isOver(state)) await endDaemon(images);
  const why = 'the agent of the destination has died';
  if (next !== state) await journal.write(next, next === 'complete' ? {} : { message: why });
  await rm(images, { recursive: true, force: true });
  return next === state ? asItIs : { state: next, pid, message: why, pages: 0 };
}

/** Whether a copy was let go; what criu is about to do with it is waited for. */
export async function wasLetGo(copy: Copy): Promise<boolean> {
  const isHeld = () => thereOf(copy).some((pid) => restoreStateOf(pid) === 'restoring');
  for (let waited = 0; waited < KILL_TIMEOUT_MS && isHeld(); waited += POLL_MS)
    await sleep(POLL_MS);
  // The root tells for all of them, or who is left if that has ended.
  const [first] = thereOf(copy);
  return first !== undefined && ['restored', 'gone'].includes(restoreStateOf(first));
}

/** Ends all processes of a copy, also those that have lost their parent. */
export async function endCopy(copy: Copy): Promise<void> {
  await endTrees(thereOf(copy).slice(0, 1));
  for (let rest = thereOf(copy); rest.length > 0; rest = rest.slice(AT_A_TIME)) {
    await endTrees(rest.slice(0, AT_A_TIME));
  }
}

/** Ends the lazy-pages daemon of a migration: it waits for pages as long as it lives. */
async function endDaemon(images: string): Promise<void> {
  const mark = `\0lazy-pages\0--images-dir\0${resolve(images)}/`;
  for (const pid of await readPids()) {
    const command = await readCommandLine(pid).catch(() => []);
    if (command.join('\0').includes(mark)) await endTrees([pid]);
  }
}

/** The processes of a copy that are there; their pids may be those of others by now. */
function thereOf({ startTime, tree = [] }: Copy): number[] {
  if (!isOfHere(startTime)) return [];
  return pidsOf(tree).filter(isAlive);
}
