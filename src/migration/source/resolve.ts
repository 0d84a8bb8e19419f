import { rm } from 'node:fs/promises';
import { Cleanup } from '../../cleanup/cleanup.ts';
import { CriuError, invalid, unknownOption, type WorkloadState } from '../../errors.ts';
import { checkOptions, readOptions } from '../../options/check.ts';
import { limits } from '../../options/operation-options.ts';
import type { TlsOptions } from '../../options/types.ts';
import { StoppedTree } from '../../postcopy/stopped-tree.ts';
import { exitWithin, openPidfd, watchExit } from '../../process/exit.ts';
import { KILL_TIMEOUT_MS } from '../../process/kill-tree.ts';
import { stateOf } from '../../procfs/stat.ts';
import { tracerOf } from '../../procfs/tracer.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { isMigrationId, Journal, journalsIn } from '../journal/journal.ts';
import {
  logsOf,
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingImages,
  outgoingIn,
  STATE_DIRECTORY,
} from '../journal/outgoing-journal.ts';
import { readCredentials } from '../protocol/credentials.ts';
import { isAgentAlive, pidsOf, requireSeen, startTimeOf } from '../protocol/identity.ts';
import { Destination } from '../protocol/service.ts';
import {
  type DestinationState,
  type Owner,
  ownerOf,
  type SourceMove,
  type SourceState,
  sourceMove,
} from '../protocol/states.ts';
import { checkStateDirectory } from './migrate-options.ts';

/** Options of {@link resolveMigration}. */
export interface ResolveMigrationOptions {
  /** Certificates of mutual TLS, as for {@link migrate}. */
  readonly tls?: TlsOptions;
  /** Without certificates, to a loopback address. */
  readonly insecure?: boolean;
  /** Where the journals of {@link migrate} are kept. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /**
   * The destination will never run the copy again: its host is switched off, say. The original is
   * then let run on without asking. If that is not so, two copies run.
   */
  readonly destinationIsDead?: boolean;
  /** How long to ask the destination, in milliseconds. Default 10000. */
  readonly deadlineMs?: number;
}

/** Whose the workload is, and what was done about it. */
export interface MigrationResolution {
  /** The id of the migration. */
  readonly id: string;
  /** Who has the workload now; `undecided` if the destination cannot be asked. */
  readonly owner: Owner;
  /** What the journal here says now. */
  readonly source: SourceState;
  /** What the destination has answered; undefined if it was not asked, or did not answer. */
  readonly destination: DestinationState | undefined;
  /** What was done: the original runs on, has ended, or nothing. */
  readonly done: 'resumed the original' | 'ended the original' | 'nothing';
  /** The root of the original. */
  readonly pid: number;
  /** What the original does now. */
  readonly workload: WorkloadState;
  /** The pid of the root at the destination, if that has the workload. */
  readonly copy: number | undefined;
  /** What a criu that died has left behind, and could not be put right: a sentence each. */
  readonly leftovers: readonly string[];
}

const OPERATION = 'resolveMigration';
const RETRY_MS = 300;
/** How long a criu may take to roll back once its agent has died, in milliseconds. */
const ROLLBACK_MS = 3000;
const POLL_MS = 20;

/**
 * Says who owns the workload of a migration from this host whose agent has died, or that could not ask
 * the destination, and finishes the job: the original runs on, or ends, as the destination says.
 * Can be called again, at any time.
 * @param id {@link Migration.id}
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no such migration, or it is under way
 */
export async function resolveMigration(
  id: string,
  options: ResolveMigrationOptions = {},
): Promise<MigrationResolution> {
  const given = readOptions(OPERATION, options);
  const { tls, insecure, directory = STATE_DIRECTORY, destinationIsDead, ...rest } = given;
  const { deadlineMs = 10_000, ...unknown } = rest;
  for (const name of Object.keys(unknown)) throw unknownOption(OPERATION, name);
  if (!isMigrationId(id)) throw invalid(OPERATION, 'id', 'the id of a migration', id);
  if (destinationIsDead !== undefined && typeof destinationIsDead !== 'boolean') {
    throw invalid(OPERATION, 'destinationIsDead', 'a boolean', destinationIsDead);
  }
  checkOptions(OPERATION, { deadlineMs }, limits);
  checkStateDirectory(OPERATION, directory);
  await using journal: OutgoingJournal | undefined = await Journal.find<SourceState, OutgoingFacts>(
    outgoingIn(directory),
    id,
  );
  const entry = journal?.entry;
  if (!journal || !entry)
    throw invalid(OPERATION, 'id', `a migration with a journal in ${directory}`, id);
  requireSeen(OPERATION, 'id', entry.startTime);
  if (isAgentAlive(entry.agent)) {
    const message = `${OPERATION}: process ${entry.agent?.split(' ')[0]} is at migration ${id} still`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, {
      operation: OPERATION,
      option: 'id',
    });
  }
  const to = entry.to ?? { host: '', port: 0 };
  const needed = entry.state === 'handed-over' && !destinationIsDead;
  const credentials = needed ? await readCredentials(OPERATION, to.host, tls, insecure) : undefined;
  using destination = needed ? await Destination.connect(to, credentials) : undefined;
  const answer = destinationIsDead
    ? { state: 'aborted' as const, pid: 0 }
    : destination && (await decided(destination, entry, id, deadlineMs));
  const move = sourceMove(entry.state, answer?.state);
  const images = outgoingImages(directory, id);
  const { done, leftovers } = await carryOut(move, journal, images);
  if (!isOpen(journal.entry?.state ?? entry.state)) {
    await rm(images, { recursive: true, force: true });
  }
  const { state } = journal.entry ?? entry;
  const owner = ownerOf(state, answer?.state);
  return {
    ...{
      id,
      owner,
      source: state,
      destination: destinationIsDead ? undefined : answer?.state,
      done,
    },
    ...{ pid: entry.pid ?? 0, workload: originalOf(entry) },
    copy: owner === 'destination' ? answer?.pid : undefined,
    leftovers,
  };
}

/**
 * The ids of the migrations from this host that {@link resolveMigration} has something to do for.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function unresolvedMigrations(directory = STATE_DIRECTORY): Promise<string[]> {
  checkStateDirectory('unresolvedMigrations', directory);
  const open: string[] = [];
  // One by one: there may be many, and few descriptors.
  for (const id of await journalsIn(outgoingIn(directory))) {
    await using journal = await Journal.find<SourceState, OutgoingFacts>(outgoingIn(directory), id);
    const { state, agent } = journal?.entry ?? {};
    if (state !== undefined && isOpen(state) && !isAgentAlive(agent)) open.push(id);
  }
  return open;
}

function isOpen(state: SourceState): boolean {
  return state !== 'done' && state !== 'aborted';
}

/** Asks until the destination has decided, and has it decide if it has not. */
async function decided(
  destination: Destination,
  { mode }: Partial<OutgoingFacts>,
  id: string,
  withinMs: number,
): Promise<{ state: DestinationState; pid: number } | undefined> {
  const until = Date.now() + withinMs;
  let last: { state: DestinationState; pid: number } | undefined;
  // A copy that is to fetch pages has lost its source with the agent.
  const finish = mode === 'post-copy' || mode === 'hybrid' ? 'abort' : 'handOver';
  let method: 'ask' | 'handOver' | 'abort' = 'ask';
  while (Date.now() < until) {
    try {
      const request = { id, reason: 'the source has died' };
      const how = await destination.call(method, request, Math.max(500, until - Date.now()));
      last = { state: how.state as DestinationState, pid: how.pid };
      const move = sourceMove('handed-over', last.state);
      if (move === 'resume' || move === 'end') return last;
      method = move === 'hand-over' ? finish : 'ask';
    } catch {
      last = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return last;
}

async function carryOut(
  move: SourceMove,
  journal: OutgoingJournal,
  images: string,
): Promise<Pick<MigrationResolution, 'done' | 'leftovers'>> {
  const { pid = 0, stoppedBefore = [], undone = {}, tree: noted } = journal.entry ?? {};
  const tree = noted ? pidsOf(noted) : descendantsOf(pid);
  if (move !== 'resume' && move !== 'end') return { done: 'nothing', leftovers: [] };
  // First on disk, as ever: if this process dies the next one does it, and twice is no harm.
  await journal.write(move === 'resume' ? 'aborting' : 'ending', { agent: '' });
  const isThere = originalOf(journal.entry ?? {}) !== 'gone';
  let leftovers: string[] = [];
  using cleanup = await Cleanup.late(isThere ? tree : [], undone);
  const log = await logsOf(images, undone.logFile);
  if (move === 'end') {
    if (isThere) await endOriginal(pid, tree);
    leftovers = await cleanup.unlock(log);
  } else if (isThere) {
    await endHolder(pid, ROLLBACK_MS);
    // Without a log there was no dump.
    if (log) leftovers = await cleanup.rollBack(undefined, log);
    new StoppedTree(tree, new Set(stoppedBefore)).resume();
  }
  await journal.write(move === 'resume' ? 'aborted' : 'done');
  const did = move === 'end' ? 'ended the original' : 'resumed the original';
  return { done: isThere ? did : 'nothing', leftovers };
}

/**
 * Ends a criu that holds the original for an agent that has died. It may be about to roll back, which
 * is safer than to kill it; one that serves pages goes on for ever.
 */
async function endHolder(pid: number, patienceMs: number): Promise<void> {
  let tracer = await tracerOf(pid);
  for (let waited = 0; waited < patienceMs && tracer?.by === 'tracer'; waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    tracer = await tracerOf(pid);
  }
  if (tracer?.by !== 'tracer' || tracer.name !== 'criu') return;
  const pidfd = openPidfd(tracer.pid);
  if (pidfd === undefined) return;
  const watch = watchExit(pidfd);
  process.kill(tracer.pid, 'SIGKILL');
  await exitWithin(KILL_TIMEOUT_MS, watch);
}

async function endOriginal(pid: number, tree: readonly number[]): Promise<void> {
  new StoppedTree(tree, new Set()).kill();
  await endHolder(pid, 0);
  const pidfd = openPidfd(pid);
  if (pidfd !== undefined) await exitWithin(KILL_TIMEOUT_MS, watchExit(pidfd));
}

/** What the original does; gone if its pid is another process's by now. */
function originalOf({ pid = 0, startTime }: Partial<OutgoingFacts>): WorkloadState {
  return startTimeOf(pid) === startTime ? stateOf(pid) : 'gone';
}
