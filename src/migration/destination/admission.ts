import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostFacts__Output } from '../../generated/types/node_criu/HostFacts.ts';
import { dotted } from '../../operations/known-versions.ts';
import { awaitReaped } from '../../process/reaping.ts';
import { isZombie } from '../../procfs/occupant.ts';
import type { CriuOperations } from '../protocol/criu-operations.ts';
import { isPostcopy, type MigrationMode } from '../protocol/modes.ts';
import { fromOfferedOptions, unsupportedOption } from '../protocol/offered-options.ts';
import { peerText } from '../protocol/peer-text.ts';
import type { RefusalCode } from '../protocol/refusals.ts';
import type { DestinationState } from '../protocol/states.ts';
import type { ReceivedOffer } from './server-context.ts';

/** Adds an objection to an offer: what is wrong, what would help, and a code, by default `incompatible`. */
export type Objector = (message: string, remedy: string, code?: RefusalCode) => void;

/** A migration that has been accepted and still needs memory or disk. */
export interface OpenMigration {
  readonly state: DestinationState;
  readonly mode: MigrationMode;
  /** The memory of all processes, in bytes. */
  readonly memoryBytes: number;
  /** The addresses that come with it, as ADDRESS/PREFIX. */
  readonly addresses: readonly string[];
}

/** The server that an offer is checked against. */
export interface AdmittingHost {
  readonly operations: CriuOperations;
  readonly facts: HostFacts__Output;
  /** Aborted when the source has withdrawn its offer. */
  readonly signal: AbortSignal;
}

/** How many pids a message lists. */
const MAX_LISTED = 10;
/** How many characters of a name a message shows. */
const MAX_NAME = 64;

/** Objects to an offer that cannot run on this host, however much space there is. */
export async function checkAdmission(
  { operations, facts, signal }: AdmittingHost,
  received: ReceivedOffer,
  object: Objector,
): Promise<void> {
  const { request, offer, restore } = received;
  if (request.host?.architecture !== facts.architecture) {
    object(
      `The source's architecture is ${peerText(request.host?.architecture ?? '', MAX_NAME)}, and this host's is ${facts.architecture}.`,
      'Choose a host with the same architecture.',
    );
  }
  const sourceCriu = request.host?.criu ?? 0;
  // A minor version of CRIU may add image fields that the version before does not know.
  if (Math.floor(sourceCriu / 100) > Math.floor(facts.criu / 100)) {
    object(
      `The images come from CRIU ${dotted(sourceCriu)}, and this host has ${dotted(facts.criu)}, which may not know all that is in them.`,
      'Install the same CRIU on the destination, or a newer one.',
    );
  }
  if (isPostcopy(offer.mode) && !facts.lazyPages) {
    object(
      'This kernel has no userfaultfd, which post-copy and hybrid need.',
      "Use the mode 'pre-copy' or 'stop-and-copy'.",
    );
  }
  const { hooks: _, signal: __, deadlineMs: ___, gracePeriodMs: ____, ...options } = restore;
  const unsupported = unsupportedOption({ ...fromOfferedOptions(request), ...options }, facts.criu);
  if (unsupported) {
    object(
      `The restore option ${unsupported.option} needs CRIU ${unsupported.since}, and this host has ${dotted(facts.criu)}.`,
      'Install a newer CRIU on the destination, or omit the option.',
    );
  }
  const busy = await busyPids(offer.pids);
  if (busy.length > 0) {
    const more = busy.length > MAX_LISTED ? ' and others' : '';
    object(
      `The pids ${busy.slice(0, MAX_LISTED).join(', ')}${more} are in use on this host.`,
      'Start the workload in its own pid namespace, or choose another host.',
      'pids-in-use',
    );
  }
  await checkProcessor(operations, request, signal, object);
}

/** The space on a server, and what uses it. */
export interface Space {
  readonly directory: string;
  readonly facts: HostFacts__Output;
  readonly open: readonly OpenMigration[];
  /** How many bytes all migrations may have on the disk together. */
  readonly maxStored: number;
}

/** Objects to an offer for which there is too little memory or disk. */
export function checkSpace(
  { directory, facts, open, maxStored }: Space,
  { mode, memoryBytes }: Pick<OpenMigration, 'mode' | 'memoryBytes'>,
  object: Objector,
): void {
  const memory = facts.freeMemory - sum(open.map(memoryNeeded));
  const reserved = sum(open.map(diskNeeded));
  const disk = Math.min(facts.freeDisk, maxStored) - reserved;
  const others = open.length > 0 ? ', besides what other open migrations need' : '';
  const mib = (bytes: number) => `${Math.max(0, Math.ceil(bytes / 2 ** 20))} MiB`;
  if (memoryBytes > memory) {
    object(
      `The processes have ${mib(memoryBytes)} of memory, and this host has ${mib(memory)} available${others}.`,
      'Choose another host, or free memory there.',
      'no-space',
    );
  }
  if (usesDisk(mode) && memoryBytes > disk) {
    object(
      `The processes have ${mib(memoryBytes)} of memory, and ${directory} has room for ${mib(disk)}${others}.`,
      'Free disk space on the destination, or give it another directory.',
      'no-space',
    );
  }
}

async function checkProcessor(
  operations: CriuOperations,
  { cpuinfo, cpuCap }: ReceivedOffer['request'],
  signal: AbortSignal,
  object: Objector,
): Promise<void> {
  if (cpuinfo.length === 0) return;
  const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    await writeFile(join(imagesDirectory, 'cpuinfo.img'), cpuinfo, { mode: 0o600 });
    await operations.cpuinfoCheck({
      imagesDirectory,
      // It changes nothing, so nothing has to be rolled back.
      ...{ signal, gracePeriodMs: 0 },
      ...(cpuCap !== undefined && { cpuCap }),
    });
  } catch (error) {
    signal.throwIfAborted();
    const text = (error as Error).message.replace(/^\w+: /, '');
    object(
      `The source's processor has features that this host's lacks: ${text}.`,
      'Choose a host with the same processor, or set cpuCap for the dump.',
    );
  } finally {
    await rm(imagesDirectory, { recursive: true, force: true });
  }
}

/** How much of the free memory a migration will still take, in bytes. */
function memoryNeeded({ state, mode, memoryBytes }: OpenMigration): number {
  return state === 'receiving' || isPostcopy(mode) ? memoryBytes : 0;
}

/** How much of the free disk a migration will still take, in bytes. */
function diskNeeded({ state, mode, memoryBytes }: OpenMigration): number {
  return state === 'receiving' && usesDisk(mode) ? memoryBytes : 0;
}

/** In post-copy no memory goes to disk. */
function usesDisk(mode: MigrationMode): boolean {
  return mode !== 'post-copy';
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** The pids that are in use, after a limited wait for the parents of zombies to reap them. */
async function busyPids(pids: readonly number[]): Promise<number[]> {
  const busy = pids.filter(isBusy);
  await awaitReaped(busy, { isInUse: isZombie });
  return busy.filter(isBusy);
}

function isBusy(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
