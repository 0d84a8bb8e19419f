import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError, invalid, type WorkloadState } from '../../errors.ts';
import { callback, checkOptions, type Shape } from '../../options/check.ts';
import { flag, text } from '../../options/kinds.ts';
import { milliseconds } from '../../options/operation-options.ts';
import { tlsMaterial } from '../../options/tls.ts';
import type { TlsOptions } from '../../options/types.ts';
import { requirePrivate } from '../../process/private-directory.ts';
import { isMigrationId, Journal } from '../journal/journal.ts';
import { listOutgoing } from '../journal/list-migrations.ts';
import {
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingImages,
  outgoingJournals,
  STATE_DIRECTORY,
} from '../journal/outgoing-journal.ts';
import { readCredentials } from '../protocol/credentials.ts';
import { DestinationClient } from '../protocol/destination-client.ts';
import { isAgentAlive, requireVisible } from '../protocol/identity.ts';
import { isPostcopy } from '../protocol/modes.ts';
import {
  type DestinationState,
  isOpen,
  type Owner,
  ownerOf,
  type SourceState,
  sourceMove,
} from '../protocol/states.ts';
import type { CopyStatus } from '../protocol/status.ts';
import { acknowledge } from './acknowledge.ts';
import { moveBack, reachabilityOf } from './addresses/way-back.ts';
import { finishOriginal, type OriginalEnding, workloadOf } from './original-ending.ts';
import { undecidedRemedy } from './remedy.ts';

/** Options of `criu.resolveMigration()`. */
export interface ResolveMigrationOptions {
  /** TLS material, as for `criu.migrate()`. */
  readonly tls?: TlsOptions;
  /** Connect without TLS, which only a loopback address allows. */
  readonly insecure?: boolean;
  /** The `directory` of `criu.migrate()`. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /**
   * States that the destination will never run the copy again, because its host is switched off, for
   * example. The original then resumes without a call to the destination. If the statement is wrong,
   * two copies run.
   */
  readonly destinationIsDead?: boolean;
  /**
   * States that the original is not needed any more, because the copy has done its work or runs. The
   * original then ends without a call to the destination. If the statement is wrong, the work is lost.
   */
  readonly copyHasFinished?: boolean;
  /**
   * Moves addresses back that `switchOver` of the migration has moved. Called if the original is to resume
   * and `switchOver` was called, before the original resumes. Not needed for `addresses` of the migration,
   * which come back by themselves.
   */
  switchBack?(): Promise<void> | void;
  /**
   * How long to try to reach the destination, and to wait for another process that is resolving the same
   * migration, in milliseconds. Default 10000.
   */
  readonly deadlineMs?: number;
}

/** Options of `criu.unresolvedMigrations()`. */
export interface UnresolvedMigrationsOptions {
  /** The `directory` of `criu.migrate()`. Default `/var/lib/node-criu`. */
  readonly directory?: string;
}

/** Who owns the workload of a migration, and what was done about it. */
export interface MigrationResolution {
  /** The id of the migration. */
  readonly id: string;
  /**
   * Who has the workload now; `undecided` if the destination does not answer, or if its copy has run and
   * is lost.
   */
  readonly owner: Owner;
  /** The state in the journal of this host now. */
  readonly source: SourceState;
  /** The answer of the destination; undefined if it was not asked or did not answer. */
  readonly destination: DestinationState | undefined;
  /** What was done with the original: `nothing` if it was neither resumed nor ended. */
  readonly done: 'resumed' | 'ended' | 'nothing';
  /** The root of the original; undefined if the journal does not know it. */
  readonly pid: number | undefined;
  /** The state of the original now. */
  readonly workload: WorkloadState;
  /** The pid of the root at the destination, if the destination owns the workload. */
  readonly copy: number | undefined;
  /** What a criu that died left behind and could not be cleaned up, one phrase for each item. */
  readonly leftovers: readonly string[];
  /** What is left for the operator to do; undefined unless `owner` is `undecided`. */
  readonly remedy: string | undefined;
  /**
   * True if the addresses that the migration moves are on the host where the processes run; false if
   * something in `remaining` has to be done first; undefined while the owner is undecided.
   */
  readonly reachable: boolean | undefined;
  /** What is left to do before clients reach the service, one phrase for each item. */
  readonly remaining: readonly string[];
}

const OPERATION = 'resolveMigration';
const DEADLINE_MS = 10_000;
const RETRY_MS = 300;
const MIN_TIMEOUT_MS = 500;
const RELEASED = 'the agent of the source has ended, and the original runs on';
const RELEASE_MS = 2000;

const shape: Shape<ResolveMigrationOptions> = {
  tls: tlsMaterial,
  insecure: flag,
  directory: text,
  destinationIsDead: flag,
  copyHasFinished: flag,
  switchBack: callback,
  deadlineMs: milliseconds,
};

/**
 * Finishes a migration from this host whose agent has died, or whose destination did not answer: asks
 * the destination who owns the workload, and resumes or ends the original. Can be repeated at any time.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no such migration, or it is under way;
 * ERR_CRIU_MIGRATION_UNRESOLVED if another process is resolving it for longer than `deadlineMs`
 */
export async function resolveMigration(
  id: string,
  given: ResolveMigrationOptions,
): Promise<MigrationResolution> {
  const options = checkOptions(OPERATION, given, shape);
  const { directory = STATE_DIRECTORY, deadlineMs = DEADLINE_MS } = options;
  const { destinationIsDead, copyHasFinished } = options;
  if (destinationIsDead && copyHasFinished) {
    const takes = 'nothing with destinationIsDead: one resumes the original, the other ends it';
    throw invalid(OPERATION, 'copyHasFinished', takes, copyHasFinished);
  }
  if (!isMigrationId(id)) throw invalid(OPERATION, 'id', 'the id of a migration', id);
  await requirePrivate(OPERATION, directory);
  await using journal: OutgoingJournal | undefined = await Journal.find<SourceState, OutgoingFacts>(
    outgoingJournals(directory),
    id,
  );
  if (!journal?.entry) throw noJournal(id, directory);
  const { startTime, agent } = journal.entry;
  requireVisible(OPERATION, 'id', startTime);
  if (isAgentAlive(agent)) {
    const message = `${OPERATION}: process ${agent?.split(' ')[0]} still runs migration ${id}`;
    const facts = { operation: OPERATION, option: 'id' };
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
  }
  // Another resolver may have resumed or ended the original since the journal was read.
  if (!(await journal.lock(deadlineMs))) throw locked(id);
  const { entry } = journal;
  if (!entry) throw noJournal(id, directory);
  const isDecided = destinationIsDead === true || copyHasFinished === true;
  // Only after the hand-over may another host have the workload.
  const isUndecided = entry.state === 'handed-over';
  using destination = isUndecided && !isDecided ? await connect(entry, options) : undefined;
  let answer: CopyStatus | undefined;
  if (destination) answer = await pollDecision(destination, id, entry, deadlineMs);
  else if (isUndecided) answer = { state: destinationIsDead ? 'aborted' : 'complete' };
  const move = sourceMove(entry.state, answer?.state);
  const images = outgoingImages(directory, id);
  let obstacle: string | undefined;
  const bringBack = async () => {
    obstacle = await moveBack(journal, options.switchBack);
  };
  const ending: OriginalEnding =
    move === 'resume' || move === 'end'
      ? await finishOriginal(move, journal, images, bringBack)
      : { done: 'nothing', leftovers: [] };
  // The migration may have failed to move its addresses back when it was aborted.
  if (entry.state === 'aborted') await bringBack();
  const source = (journal.entry ?? entry).state;
  if (!isOpen(source)) {
    await rm(images, { recursive: true, force: true });
    if (!isUndecided && move === 'resume') await release(entry, id, options);
    // A journal that still has to bring addresses back must not expire.
    if (destination && answer && obstacle === undefined) {
      await acknowledge(destination, id, journal);
    }
  }
  const owner = ownerOf(source, answer?.state);
  const workload = workloadOf(entry);
  return {
    ...{ id, owner, source, ...ending },
    destination: isDecided ? undefined : answer?.state,
    ...{ pid: entry.pid, workload, ...reachabilityOf(owner, workload, obstacle) },
    copy: owner === 'destination' ? answer?.pid : undefined,
    remedy: owner === 'undecided' ? undecidedRemedy(entry.to?.host ?? '', answer) : undefined,
  };
}

function noJournal(id: string, directory: string): CriuError {
  return invalid(OPERATION, 'id', `a migration with a journal in ${directory}`, id);
}

function locked(id: string): CriuError {
  const message = `${OPERATION}: another process is resolving migration ${id}: try again when it has finished`;
  return new CriuError('ERR_CRIU_MIGRATION_UNRESOLVED', message, { operation: OPERATION });
}

/**
 * The ids of the migrations from this host that {@link resolveMigration} has to finish.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function unresolvedMigrations(given: UnresolvedMigrationsOptions): Promise<string[]> {
  const { directory = STATE_DIRECTORY } = checkOptions('unresolvedMigrations', given, {
    directory: text,
  });
  await requirePrivate('unresolvedMigrations', directory);
  const listed = await listOutgoing(directory);
  return listed.filter(({ status }) => status === 'unresolved').map(({ id }) => id);
}

async function connect(
  { to, protocol }: Partial<OutgoingFacts>,
  { tls, insecure }: ResolveMigrationOptions,
): Promise<DestinationClient> {
  const endpoint = to ?? { host: '', port: 0 };
  const credentials = await readCredentials(OPERATION, endpoint.host, tls, insecure, endpoint.name);
  const destination = await DestinationClient.connect(endpoint, credentials);
  if (protocol !== undefined) destination.protocol = protocol;
  return destination;
}

/**
 * Tells the destination that there will be no copy, so that it does not wait for this host. If it cannot be told, it
 * finds out by the silence.
 */
async function release(
  entry: Partial<OutgoingFacts>,
  id: string,
  options: ResolveMigrationOptions,
): Promise<void> {
  try {
    using destination = await connect(entry, options);
    await destination.call('abort', { id, reason: RELEASED }, { timeoutMs: RELEASE_MS });
  } catch {
    // As documented.
  }
}

/**
 * Polls the destination until it has decided, and requests a decision if it has not.
 * @returns the answer to the last call; undefined if that failed
 */
async function pollDecision(
  destination: DestinationClient,
  id: string,
  { mode }: Partial<OutgoingFacts>,
  timeoutMs: number,
): Promise<CopyStatus | undefined> {
  // A copy that was to fetch its pages has lost them with the agent of the source.
  const decision = isPostcopy(mode) ? 'abort' : 'commit';
  const until = performance.now() + timeoutMs;
  let last: CopyStatus | undefined;
  let call: 'getStatus' | 'abort' | 'commit' = 'getStatus';
  while (performance.now() < until) {
    try {
      const request = { id, reason: 'the source has died' };
      const limits = { timeoutMs: Math.max(MIN_TIMEOUT_MS, until - performance.now()) };
      last = await destination.call(call, request, limits);
      const move = sourceMove('handed-over', last.state);
      if (['resume', 'end', 'ask-operator'].includes(move)) return last;
      call = move === 'commit' ? decision : 'getStatus';
    } catch {
      last = undefined;
    }
    await sleep(RETRY_MS);
  }
  return last;
}
