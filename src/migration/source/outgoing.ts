import { rm } from 'node:fs/promises';
import type { Cancellation } from '../../concurrency/cancellation.ts';
import { RateLimit } from '../../concurrency/rate-limit.ts';
import { CriuError } from '../../errors.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { stateOf } from '../../procfs/stat.ts';
import { ByteCount } from '../journal/byte-count.ts';
import { Journal } from '../journal/journal.ts';
import {
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingImages,
  outgoingJournals,
} from '../journal/outgoing-journal.ts';
import type { Credentials } from '../protocol/credentials.ts';
import type { DestinationClient } from '../protocol/destination-client.ts';
import { isPostcopy } from '../protocol/modes.ts';
import { DEFAULT_STALL_MS, PATIENCE } from '../protocol/stall-limit.ts';
import type { SourceState } from '../protocol/states.ts';
import { acknowledge, acknowledgeOverdue } from './acknowledge.ts';
import { AddressSwitch } from './address-switch.ts';
import {
  beginPhase,
  type MigrationContext,
  type SourceClient,
  type TransferContext,
} from './context.ts';
import { DestinationLink } from './destination-link.ts';
import { DumpWatch } from './dump-watch.ts';
import type { EventQueue, MigrationEvent } from './events.ts';
import { cutOff, migrationError, textOf, unresolved } from './failures.ts';
import { Interruption } from './interruption.ts';
import type { MigrateOptions, MigrationResult } from './migrate-options.ts';
import { offerMigration } from './offer.ts';
import { Original } from './original.ts';
import { transferAfterCopyRuns } from './postcopy-transfer.ts';
import { transferBeforeCopyRuns } from './precopy-transfer.ts';
import { Progress } from './progress.ts';

/** What a migration begins with. */
export interface OutgoingParts {
  readonly id: string;
  readonly pid: number;
  readonly options: MigrateOptions;
  readonly directory: string;
  readonly criu: SourceClient;
  readonly destination: DestinationClient;
  readonly credentials: Credentials | undefined;
  readonly cancellation: Cancellation;
  readonly events: EventQueue<MigrationEvent>;
  /** When the caller began the migration, by performance.now(). */
  readonly start: number;
}

/** Runs a migration from this host: the offer, the transfer with its commit, and the clean-up or rollback. */
export async function runMigration(parts: OutgoingParts): Promise<MigrationResult> {
  const context = createContext(parts);
  const { id, images, progress, link } = context;
  let journal: OutgoingJournal | undefined;
  using _reports = progress.startReporting();
  try {
    await beginPhase(context, 'offer');
    const { mode, memoryBytes, pages, facts } = await offerMigration(context);
    journal = await Journal.create<SourceState, OutgoingFacts>(
      outgoingJournals(parts.directory),
      id,
    );
    await journal.write('offered', facts);
    // After the journal, by which the images are found if this process dies.
    await makePrivateDirectory(images);
    await using _byteCount = new ByteCount(images, () => progress.bytes);
    // The destination aborts when the source is silent, so the heartbeat also runs during the caller's hooks.
    using _heartbeat = link.startHeartbeat();
    await beginPhase(context, 'connect');
    await using dumpWatch = new DumpWatch(parts.pid, facts.undo, journal);
    const transfer: TransferContext = { ...context, mode, memoryBytes, pages, journal, dumpWatch };
    const { pid, rounds, downtimeMs } = isPostcopy(mode)
      ? await transferAfterCopyRuns(transfer)
      : await transferBeforeCopyRuns(transfer);
    const leftovers = await dumpWatch.unlock(images);
    await journal.write('done', { agent: '' });
    await beginPhase(context, 'done');
    await acknowledge(link.client, id, journal);
    await acknowledgeOverdue(link.client, parts.directory, parts.options.to).catch(() => {});
    const { bytes, phases, start } = progress;
    const totalMs = performance.now() - start;
    return { id, pid, mode, rounds, bytes, downtimeMs, totalMs, phases, leftovers };
  } catch (error) {
    throw await rollBack(context, journal, error as Error);
  } finally {
    if (journal?.entry?.state !== 'handed-over') {
      await rm(images, { recursive: true, force: true });
    }
    await journal?.[Symbol.asyncDispose]();
  }
}

function createContext(parts: OutgoingParts): MigrationContext {
  const { id, pid, options, directory, criu, destination, credentials } = parts;
  const { stallMs = DEFAULT_STALL_MS, rateLimit, to } = options;
  const interruption = new Interruption(parts.cancellation);
  const link = { id, to, client: destination, credentials, interruption, stallMs };
  return {
    ...{ id, pid, options, directory, stallMs, interruption },
    rateLimit: typeof rateLimit === 'number' ? new RateLimit(rateLimit) : rateLimit,
    operations: criu.operations,
    preflight: criu.preflight,
    client: { ...criu.client, defaults: {} },
    images: outgoingImages(directory, id),
    link: new DestinationLink(link),
    progress: new Progress(parts.start, parts.events),
    original: new Original(pid),
    addresses: new AddressSwitch(options, interruption.signal),
  };
}

/**
 * After a failure: the original resumes, unless only the destination knows which of the two runs.
 * @returns the error to report
 */
async function rollBack(
  context: MigrationContext,
  journal: OutgoingJournal | undefined,
  error: Error,
): Promise<CriuError> {
  const { id, pid, interruption, link, progress, original, addresses, stallMs } = context;
  const state = journal?.entry?.state;
  if (state === 'handed-over') {
    await journal?.write('handed-over', { agent: '' }).catch(() => {});
    const isUnresolved =
      error instanceof CriuError && error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED';
    return isUnresolved ? error : unresolved(id, pid, error);
  }
  const { reason } = interruption.signal;
  const cause = isMigrationFailure(reason) ? reason : error;
  // If the journal cannot be written, 'offered' also makes resolveMigration() resume the original.
  if (state === 'offered') await journal?.write('aborting').catch(() => {});
  // Before the destination ends the copy, whose host would reset the connections otherwise.
  const switchBackError = await addresses.switchBack(PATIENCE * stallMs);
  const answer = await link.reportFailure(textOf(cause));
  original.resume();
  const isSwitchedOver = addresses.isSwitchedOver && switchBackError !== undefined;
  const facts = { agent: '', ...(addresses.isNeeded && { isSwitchedOver }) };
  if (state !== undefined) await journal?.write('aborted', facts).catch(() => {});
  // A journal that still has to bring addresses back must not expire.
  const isAborted = journal?.entry?.state === 'aborted' && !isSwitchedOver;
  if (journal && isAborted && answer) await acknowledge(link.client, id, journal);
  const { phase } = progress;
  const { cancelledBy } = interruption;
  const workload = stateOf(pid);
  const isCutOff = answer?.refusal !== undefined && !cancelledBy;
  const shown = isCutOff ? cutOff(answer, cause) : cause;
  return migrationError(shown, { id, pid, phase, workload, cancelledBy, switchBackError });
}

/** True for the reason of an abort by the migration itself, which explains the error that follows. */
function isMigrationFailure(reason: unknown): reason is CriuError {
  return reason instanceof CriuError && reason.code === 'ERR_CRIU_MIGRATION_FAILED';
}
