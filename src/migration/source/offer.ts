import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CriuError, withFindings } from '../../errors.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest } from '../../generated/types/node_criu/OfferRequest.ts';
import { formatCidr, formatEndpoint } from '../../netlink/ip-address.ts';
import type { PreflightOptions } from '../../preflight/options.ts';
import { type OutgoingFacts, readUndoOptions } from '../journal/outgoing-journal.ts';
import { lazySourceObstacle, readHostFacts, readTreeFacts } from '../protocol/host-facts.ts';
import { startTimeOf, thisAgent } from '../protocol/identity.ts';
import { encodeMetadata, METADATA_PROTOCOL } from '../protocol/metadata.ts';
import { hasRounds, isPostcopy, type MigrationMode, toWireMode } from '../protocol/modes.ts';
import { toOfferedOptions } from '../protocol/offered-options.ts';
import { peerText } from '../protocol/peer-text.ts';
import { refusalOf } from '../protocol/refusals.ts';
import { OLDEST_PROTOCOL, PROTOCOL } from '../protocol/service.ts';
import type { MigrationContext, TransferContext } from './context.ts';
import { isReported, OPERATION, refusal, textOf } from './failures.ts';
import type { MigrateOptions } from './migrate-options.ts';

/**
 * The shortest time limit for the answer to an offer, in milliseconds: the destination starts several
 * programs before it answers.
 */
const MIN_ANSWER_MS = 10_000;
/** How many objections of a destination an error lists. */
const MAX_OBJECTIONS = 10;

/** An offer that the destination has accepted. */
export interface AcceptedOffer {
  readonly mode: MigrationMode;
  /** The memory that was offered. */
  readonly memoryBytes: number;
  readonly pages: TransferContext['pages'];
  /** What the journal begins with. */
  readonly facts: Omit<
    OutgoingFacts,
    'tree' | 'stoppedBefore' | 'criu' | 'isSwitchedOver' | 'acknowledged'
  >;
}

/**
 * Offers the process tree to the destination. Nothing is frozen yet.
 * @throws CriuError ERR_CRIU_MIGRATION_REFUSED that says what to change
 */
export async function offerMigration(context: MigrationContext): Promise<AcceptedOffer> {
  const { id, pid, options, progress, directory, operations, link } = context;
  const { dump = {}, to } = options;
  const startTime = startTimeOf(pid);
  if (startTime === undefined) throw notFound(pid);
  const [host, tree, cpuinfo] = await Promise.all([
    readHostFacts(operations, directory),
    readTreeFacts(pid),
    describeProcessor(context),
  ]);
  const obstacle = await roundsObstacle(options.tracking, host);
  const isPossible = obstacle === undefined || options.tracking !== undefined;
  const mode = options.mode ?? (isPossible ? 'pre-copy' : 'stop-and-copy');
  if (hasRounds(mode) && obstacle) {
    throw refusal(
      `${mode} is not possible: ${obstacle}; the mode 'stop-and-copy' works everywhere`,
    );
  }
  await checkSource(context, mode, host);
  const addresses = await context.addresses.locate();
  const metadata = encodeMetadata(options.metadata);
  const reply = await sendOffer(context, {
    ...{
      protocol: PROTOCOL,
      oldestProtocol: metadata === undefined ? OLDEST_PROTOCOL : METADATA_PROTOCOL,
      id,
      mode: toWireMode(mode),
      host,
      cpuinfo,
      ...tree,
    },
    ...toOfferedOptions(dump),
    addresses: addresses.map(formatCidr),
    ...(metadata !== undefined && { metadata }),
  });
  if (reply.objections.length > 0) {
    const objections = reply.objections
      .slice(0, MAX_OBJECTIONS)
      .map(({ message, remedy }) => `${peerText(message)} ${peerText(remedy)}`);
    const text = `${formatEndpoint(to)} refuses: ${objections.join(' ')}`;
    throw refusal(text, undefined, refusalOf(reply.objections));
  }
  progress.setOffer(mode, tree.memory);
  const { pagePort, roundToken, lazyToken } = reply;
  return {
    mode,
    memoryBytes: tree.memory,
    pages: { pagePort, roundToken, lazyToken },
    facts: {
      ...{ pid, startTime, to, mode, agent: thisAgent(), protocol: link.client.protocol },
      addresses,
      undo: await readUndoOptions(dump),
    },
  };
}

function notFound(pid: number): CriuError {
  const facts = { operation: OPERATION, pid };
  try {
    process.kill(pid, 0);
    const message = `${OPERATION}: cannot read process ${pid} in /proc`;
    return new CriuError('ERR_CRIU_SYSTEM', message, facts);
  } catch {
    const message = `${OPERATION}: there is no process ${pid}`;
    return new CriuError('ERR_CRIU_NO_SUCH_PROCESS', message, facts);
  }
}

async function sendOffer(
  { options, link, interruption, stallMs }: MigrationContext,
  offer: OfferRequest,
): Promise<OfferReply__Output> {
  const endpoint = formatEndpoint(options.to);
  return await link.offer(offer, Math.max(MIN_ANSWER_MS, 2 * stallMs)).catch((error: Error) => {
    interruption.throwIfAborted();
    const reason = textOf(error);
    if (isReported(error)) throw refusal(`${endpoint} cannot take the offer: ${reason}`, error);
    throw refusal(`${endpoint} does not answer: ${reason}`, error, 'unreachable');
  });
}

interface HostFeatures {
  readonly memTrack: boolean;
  readonly lazyPages: boolean;
}

/** Why changed memory cannot be found in this way; undefined if it can. */
async function roundsObstacle(
  tracking: MigrateOptions['tracking'] = 'auto',
  { memTrack, lazyPages }: HostFeatures,
): Promise<string | undefined> {
  if (tracking !== 'compare' && memTrack) return undefined;
  if (tracking === 'soft-dirty') return 'this kernel does not track changed memory (soft-dirty)';
  return await lazyDumpObstacle(lazyPages);
}

async function lazyDumpObstacle(lazyPages: boolean): Promise<string | undefined> {
  return lazyPages ? await lazySourceObstacle() : 'this kernel has no userfaultfd';
}

/** Checks what this host and the process tree need for the mode. */
async function checkSource(
  { options, preflight, pid }: MigrationContext,
  mode: MigrationMode,
  { lazyPages }: HostFeatures,
): Promise<void> {
  if (isPostcopy(mode)) {
    const obstacle = await lazyDumpObstacle(lazyPages);
    if (obstacle) throw refusal(`${mode} is not possible: ${obstacle}`);
  }
  // An iteration runs its own preflight.
  if (hasRounds(mode)) return;
  const {
    hooks: _,
    signal: __,
    deadlineMs: ___,
    gracePeriodMs: ____,
    ...dump
  } = options.dump ?? {};
  const findings = await preflight(pid, dump as PreflightOptions);
  const [first] = findings.filter(({ severity }) => severity === 'error');
  if (first) throw withFindings(refusal(`${first.message}. ${first.remedy}`), findings);
}

async function describeProcessor({ options, operations }: MigrationContext): Promise<Buffer> {
  const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    const { cpuCap } = options.dump ?? {};
    await operations.cpuinfoDump({ imagesDirectory, ...(cpuCap !== undefined && { cpuCap }) });
    return await readFile(join(imagesDirectory, 'cpuinfo.img'));
  } finally {
    await rm(imagesDirectory, { recursive: true, force: true });
  }
}
