import { join } from 'node:path';
import { atMost, unlessAborted } from '../../concurrency/deadline.ts';
import type { RateLimit } from '../../concurrency/rate-limit.ts';
import type { PreflightFinding } from '../../finding.ts';
import type { Client } from '../../operations/client.ts';
import type { PreflightOptions } from '../../preflight/options.ts';
import type { OutgoingJournal } from '../journal/outgoing-journal.ts';
import type { CriuOperations, MigrationClient } from '../protocol/criu-operations.ts';
import type { MigrationMode } from '../protocol/modes.ts';
import { PageTunnel } from '../protocol/page-tunnel.ts';
import { PATIENCE } from '../protocol/stall-limit.ts';
import type { AddressSwitch } from './address-switch.ts';
import type { DestinationLink } from './destination-link.ts';
import type { DumpWatch } from './dump-watch.ts';
import type { MigrationPhase } from './events.ts';
import type { Interruption } from './interruption.ts';
import type { MigrateOptions } from './migrate-options.ts';
import type { Original } from './original.ts';
import type { Progress } from './progress.ts';

/** The parts of a `Criu` that a migration from this host uses. */
export interface SourceClient extends MigrationClient {
  /** Runs a preflight with these options alone: the options of the dump include the client's defaults. */
  preflight(pid: number, options: PreflightOptions): Promise<PreflightFinding[]>;
}

/** What all steps of a migration share. */
export interface MigrationContext {
  readonly id: string;
  readonly pid: number;
  readonly options: MigrateOptions;
  readonly operations: CriuOperations;
  readonly preflight: SourceClient['preflight'];
  /** Runs the dumps. It has no default options: `options.dump` includes them. */
  readonly client: Client;
  /** The directory of the journals and images. */
  readonly directory: string;
  /** The directory of the images: each round has a directory in it. */
  readonly images: string;
  readonly stallMs: number;
  /** Limits the memory that is sent. */
  readonly rateLimit: RateLimit | undefined;
  readonly link: DestinationLink;
  readonly interruption: Interruption;
  readonly progress: Progress;
  readonly original: Original;
  readonly addresses: AddressSwitch;
}

/** What the steps after the offer share in addition. */
export interface TransferContext extends MigrationContext {
  readonly mode: MigrationMode;
  /** The memory that was offered. */
  readonly memoryBytes: number;
  readonly journal: OutgoingJournal;
  readonly dumpWatch: DumpWatch;
  /** The destination's port for pages, and the one-time tokens of the connections. */
  readonly pages: {
    readonly pagePort: number;
    readonly roundToken: Uint8Array;
    readonly lazyToken: Uint8Array;
  };
}

/** Begins a phase: awaits the caller's hook, and reports the phase. */
export async function beginPhase(context: MigrationContext, phase: MigrationPhase): Promise<void> {
  const { options, interruption, progress, stallMs } = context;
  progress.begin(phase);
  const copyRuns = phase === 'pages' || phase === 'done';
  if (!copyRuns) interruption.throwIfAborted();
  const hook = Promise.resolve(phase).then((begun) => options.hooks?.phase?.(begun));
  if (copyRuns) await atMost(PATIENCE * stallMs, hook).catch(() => {});
  else await unlessAborted(interruption.signal, hook);
  progress.report();
}

/**
 * Begins the phase in which the tree is frozen.
 * @param tunnel carries the pages of the dump; its rate limit ends unless the caller wants it kept
 */
export async function beginDump(context: TransferContext, tunnel?: PageTunnel): Promise<void> {
  if (!context.options.rateLimitFrozen) tunnel?.liftRateLimit();
  await beginPhase(context, 'dump');
  const stoppedBefore = context.original.rememberStopped();
  await context.journal.write('offered', { stoppedBefore });
}

/** The directory of the images of a round. */
export function roundDirectory({ images }: MigrationContext, index: number): string {
  return join(images, String(index));
}

/** Opens the tunnel for the pages of rounds and of a dump. It closes when the migration is aborted. */
export async function openRoundTunnel(context: TransferContext): Promise<PageTunnel> {
  const { link, pages, rateLimit, stallMs, progress, interruption } = context;
  const peer = await link.connectPages(pages.pagePort, pages.roundToken);
  const tunnel = new PageTunnel(peer, { rateLimit, stallMs });
  progress.countBytes(() => tunnel.sent);
  // criu then fails instead of waiting for the destination, and rolls back by itself.
  interruption.signal.addEventListener('abort', () => tunnel[Symbol.dispose]());
  return tunnel;
}
