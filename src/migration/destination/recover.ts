import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInRestorer } from '../../cleanup/half-restored.ts';
import { within } from '../../concurrency/deadline.ts';
import { IMAGES_OPTION } from '../../postcopy/lazy-pages-command.ts';
import { endTrees, KILL_TIMEOUT_MS } from '../../process/kill-tree.ts';
import { readCommandLine, readPids } from '../../procfs/processes.ts';
import { isAlive } from '../../procfs/stat.ts';
import {
  type IncomingFacts,
  type IncomingJournal,
  incomingImages,
  incomingJournals,
} from '../journal/incoming-journal.ts';
import { Journal, journalsIn, pruneJournals } from '../journal/journal.ts';
import { isAgentAlive, isElsewhere, isLocal, pidsOf } from '../protocol/identity.ts';
import { DEFAULT_STALL_MS, PATIENCE } from '../protocol/stall-limit.ts';
import { afterRestart, type DestinationState, isFinal } from '../protocol/states.ts';
import type { CopyStatus } from '../protocol/status.ts';
import { IncomingRecord } from './incoming-record.ts';
import { type MigrationPeer, type MigrationServerHooks, requireOwner } from './serve-options.ts';

/** The facts that identify the processes of a copy. */
type CopyProcesses = Partial<Pick<IncomingFacts, 'startTime' | 'tree' | 'criu'>>;

const POLL_MS = 20;
/** How long a migration that has just ended may keep its journal, in milliseconds. */
const ACKNOWLEDGE_MS = 1000;
/** How many processes to end at a time, since each takes a descriptor. */
const BATCH = 64;
const ELSEWHERE = 'its agent ran in another pid namespace: start a server there';

/**
 * Finishes what earlier agents left unfinished, and removes old journals.
 * @param stallMs limits each call of `afterMigration`, to {@link PATIENCE} times as long
 */
export async function recoverAll(
  directory: string,
  hooks: MigrationServerHooks,
  stallMs?: number,
): Promise<void> {
  const journals = incomingJournals(directory);
  // One by one, since each takes a descriptor.
  for (const id of await journalsIn(journals)) {
    await recoverIncoming(directory, id, hooks, { stallMs });
  }
  await pruneJournals(journals);
}

/** Options of {@link recoverIncoming}. */
interface RecoverOptions {
  readonly stallMs?: number | undefined;
  /** Who asks; absent if the server itself does. */
  readonly peer?: MigrationPeer;
}

/**
 * Finishes a migration whose agent has died. Does nothing if the agent still runs, or may run in a pid
 * namespace that is not visible from here.
 */
export async function recoverIncoming(
  directory: string,
  id: string,
  hooks: MigrationServerHooks,
  { stallMs = DEFAULT_STALL_MS, peer }: RecoverOptions = {},
): Promise<CopyStatus> {
  await using journal = await findJournal(directory, id);
  requireOwnerOf(journal, peer);
  if (!journal || isAgentAlive(journal.entry?.agent) || !(await journal.lock())) {
    return statusOf(journal);
  }
  // Another agent may have finished the migration since the journal was read.
  const entry: Partial<IncomingFacts & { state: DestinationState }> = journal.entry ?? {};
  const { state = 'unknown', pid, lazy = false, message } = entry;
  const images = incomingImages(directory, id);
  const runs = state === 'complete' ? isLeft(entry) : await wasReleased(entry);
  const isFromEarlierBoot = Boolean(entry.startTime) && !isLocal(entry.startTime);
  const next = afterRestart(state, { runs, isFromEarlierBoot, lazy });
  const record = new IncomingRecord(id, journal, hooks);
  if (next !== 'complete') await record.dropAddresses();
  // The copy ends before the source is told so and may resume its original. If the source may have
  // been told already, only a copy that still waits for criu is ended.
  if (next !== 'complete' && !(isFinal(state) && runs)) await endCopy(entry);
  if (next !== 'complete' && !isFinal(state)) await endDaemon(images);
  const cause =
    next === 'lost' ? lossOf(entry, isFromEarlierBoot) : 'the agent of the destination has died';
  // A copy that has ended since needs no line, unless a hook has to know.
  if (next !== state && (state !== 'complete' || entry.isSetUp))
    await journal.write(next, next === 'complete' ? {} : { message: cause });
  if (next === 'complete') await record.keepAddresses();
  await rm(images, { recursive: true, force: true });
  // A hook that does not return in time is still due, like one that throws.
  if (isFinal(next)) await within(PATIENCE * stallMs, record.tearDown());
  return { state: next, pid, message: next === state ? message : cause };
}

/**
 * Notes that the source knows how a migration has ended.
 * @throws Error if the migration has not ended, or its hooks have not returned
 */
export async function acknowledgeIncoming(
  directory: string,
  id: string,
  peer: MigrationPeer,
): Promise<CopyStatus> {
  await using journal = await findJournal(directory, id);
  requireOwnerOf(journal, peer);
  if (!journal || !(await journal.lock(ACKNOWLEDGE_MS))) throw new Error('it is under way');
  const { state = 'unknown', pid, message, acknowledged } = journal.entry ?? {};
  if (!isFinal(state)) throw new Error(`the migration is ${state}`);
  if (!acknowledged) await journal.write(state, { acknowledged: true });
  return { state, pid, message };
}

/** Opens the journal of a migration; undefined if there is none. */
async function findJournal(directory: string, id: string): Promise<IncomingJournal | undefined> {
  return await Journal.find<DestinationState, IncomingFacts>(incomingJournals(directory), id);
}

/** @throws Error if a migration belongs to another host than the one that asks */
function requireOwnerOf(
  journal: IncomingJournal | undefined,
  peer: MigrationPeer | undefined,
): void {
  const { owner } = journal?.entry ?? {};
  if (peer && owner !== undefined) requireOwner(owner, peer);
}

/** The status of a migration that is left alone: another agent runs it, or is finishing it. */
function statusOf(journal: IncomingJournal | undefined): CopyStatus {
  const copy: NonNullable<typeof journal>['entry'] = journal?.entry;
  const { state = 'unknown', pid, agent, message } = copy ?? {};
  if (copy && state === 'complete') return completeStatus({ state, pid, message }, copy);
  if (isFinal(state) || !isElsewhere(agent)) return { state, pid, message };
  return { state, pid, message: ELSEWHERE };
}

/**
 * The status to answer for a copy that has had all of its memory: the source ends its original upon
 * `complete`, so that is answered only about a copy of which processes exist.
 */
export function completeStatus(status: CopyStatus, copy: CopyProcesses): CopyStatus {
  if (isElsewhere(copy.startTime)) return { ...status, state: 'unknown', message: ELSEWHERE };
  if (isLeft(copy)) return status;
  return { ...status, state: 'lost', message: lossOf(copy, !isLocal(copy.startTime)) };
}

/** True if processes of a copy exist. */
function isLeft(copy: CopyProcesses): boolean {
  return livePids(copy).length > 0;
}

function lossOf({ tree = [] }: CopyProcesses, isFromEarlierBoot: boolean): string {
  return isFromEarlierBoot
    ? 'the host or the pid namespace of the copy has ended since the copy was restored'
    : `the ${tree.length} processes of the copy have ended`;
}

/** True if a copy was allowed to run. Waits for what criu is about to do with it. */
export async function wasReleased(copy: CopyProcesses): Promise<boolean> {
  const isHeld = () => livePids({ ...copy, tree: copy.criu ?? [] }).length > 0;
  for (let waited = 0; waited < KILL_TIMEOUT_MS && isHeld(); waited += POLL_MS)
    await sleep(POLL_MS);
  // Checks the root, or the first process that is left if the root has ended, for all of them.
  const [first] = livePids(copy);
  return first !== undefined && !isInRestorer(first);
}

/** Kills all processes of a copy, including those that have lost their parent. */
export async function endCopy(copy: CopyProcesses): Promise<void> {
  await endTrees(livePids(copy).slice(0, 1));
  for (let rest = livePids(copy); rest.length > 0; rest = rest.slice(BATCH)) {
    await endTrees(rest.slice(0, BATCH));
  }
}

/** Kills the lazy-pages daemon of a migration, which would wait for pages forever. */
async function endDaemon(images: string): Promise<void> {
  const marker = `\0${IMAGES_OPTION}\0${resolve(images)}/`;
  for (const pid of await readPids()) {
    const command = await readCommandLine(pid).catch(() => []);
    const isDaemon = command.slice(0, 2).some((word) => word.endsWith('lazy-pages'));
    if (isDaemon && command.join('\0').includes(marker)) await endTrees([pid]);
  }
}

/** The pids of the copy's processes that still exist, without pids that were reused. */
function livePids({ startTime, tree = [] }: CopyProcesses): number[] {
  if (!isLocal(startTime)) return [];
  return pidsOf(tree).filter(isAlive);
}
