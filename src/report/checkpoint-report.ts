import { hostname } from 'node:os';
import { type CheckpointDescription, describeCheckpoint, diffCheckpoints } from '../images.ts';
import {
  CriuError,
  type ImageFinding,
  type PreflightFinding,
  preflightRestore,
  verifyImages,
} from '../index.ts';
import type { Html } from './html.ts';
import { clipped } from './html.ts';
import { page } from './page.ts';
import { connectionsSection } from './sections/connections.ts';
import { differenceSection } from './sections/difference.ts';
import { memorySection } from './sections/memory.ts';
import { overviewSection } from './sections/overview.ts';
import { processesSection } from './sections/processes.ts';
import { type RestorePreflight, restoreSection } from './sections/restore.ts';
import { timingsSection } from './sections/timings.ts';
import { type Verification, verificationSection } from './sections/verification.ts';

const operation = 'checkpointReport';
/** The most characters of the title. */
const MAX_TITLE = 120;

/** Options of {@link checkpointReport}. */
export interface CheckpointReportOptions {
  /** Compare all files with the checksums of the dump, which reads them all; default false. */
  readonly deep?: boolean | undefined;
  /** The images directory of an earlier checkpoint, with which this one is compared, memory included. */
  readonly diff?: string | undefined;
  /** Examine whether this host can restore the checkpoint, which needs CRIU; default true. */
  readonly preflight?: boolean | undefined;
  /** The criu binary that the preflight asks; default `CRIU_PATH`, or `criu` on `PATH`. */
  readonly path?: string | undefined;
  /** Leave passwords, tokens and keys in arguments and environments; by default they are redacted. */
  readonly secrets?: boolean | undefined;
  /** Aborts the comparison and the preflight. */
  readonly signal?: AbortSignal | undefined;
}

/** A report, and what it says of the state of the checkpoint. */
export interface CheckpointReport {
  /** A page in HTML that needs nothing else. */
  readonly html: string;
  /** The defects of the images, as `verifyImages` finds them. */
  readonly defects: readonly ImageFinding[];
  /** What would make a restore fail here; undefined if that was not examined. */
  readonly obstacles: readonly PreflightFinding[] | undefined;
}

/**
 * Describes a checkpoint on one page for a person: whether it is whole and whether it can be restored here, its
 * processes, memory, connections and files, and the time that the dump took. The page has a bounded size: of what is
 * too much it shows the largest. Images that are damaged are reported as such.
 * @param directory the images directory of a dump, or of a pre-dump
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_BAD_IMAGE if the directory cannot be read, or if `diff` cannot
 * be compared; ERR_CRIU_ABORTED
 */
export async function checkpointReport(
  directory: string,
  options: CheckpointReportOptions = {},
): Promise<CheckpointReport> {
  const {
    deep = false,
    diff,
    preflight = true,
    secrets = false,
    signal,
  } = checked(directory, options);
  const defects = await verifyImages(directory, { deep });
  let unreadable: CriuError | undefined;
  const orUnreadable = (error: unknown) => {
    if (!(error instanceof CriuError && error.code === 'ERR_CRIU_BAD_IMAGE')) throw error;
    unreadable ??= error;
    return undefined;
  };
  const checkpoint = await describeCheckpoint(directory, { secrets }).catch(orUnreadable);
  const isDump = checkpoint?.kind !== 'pre-dump';
  const restore = await examine(directory, { ...options, preflight: preflight && isDump });
  const verification = { findings: defects, isDeep: deep, unreadable };
  const difference =
    diff === undefined || !checkpoint
      ? undefined
      : differenceSection(await diffCheckpoints(diff, directory, { secrets, signal }));
  const content = { checkpoint, verification, restore, difference, secrets };
  const obstacles = restore.impossible === undefined ? restore.findings : undefined;
  return { html: pageOf(directory, content), defects, obstacles };
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
function checked(directory: string, options: CheckpointReportOptions): CheckpointReportOptions {
  if (typeof directory !== 'string') refuse('directory', 'a path');
  if (typeof options !== 'object' || options === null) refuse('options', 'an object');
  const { deep, diff, preflight, path, secrets, signal } = options;
  const flags = { deep, preflight, secrets };
  for (const [option, value] of Object.entries(flags)) {
    if (value !== undefined && typeof value !== 'boolean') refuse(option, 'a boolean');
  }
  for (const [option, value] of Object.entries({ diff, path })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      refuse(option, 'a path');
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) refuse('signal', 'an AbortSignal');
  return options;
}

function refuse(option: string, takes: string): never {
  const message = `${operation}: ${option} takes ${takes}`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}

/** Looks at this host, if that is wanted and possible. */
async function examine(
  directory: string,
  { preflight, path, signal }: CheckpointReportOptions,
): Promise<RestorePreflight> {
  const host = hostname();
  if (!preflight) return { findings: [], impossible: 'Nobody asked for it.', host };
  try {
    const findings = await preflightRestore(directory, {
      ...(path === undefined ? {} : { path }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { findings, impossible: undefined, host };
  } catch (error) {
    if (!(error instanceof CriuError) || error.code === 'ERR_CRIU_ABORTED') throw error;
    return { findings: [], impossible: `${error.message} (${error.code})`, host };
  }
}

interface Content {
  readonly checkpoint: CheckpointDescription | undefined;
  readonly verification: Verification;
  readonly restore: RestorePreflight;
  readonly difference: Html | undefined;
  readonly secrets: boolean;
}

function pageOf(directory: string, content: Content): string {
  const { checkpoint, verification, restore, difference, secrets } = content;
  const section = (id: string, title: string, own: Html) => ({ id, title, content: own });
  return page(titleOf(directory, checkpoint), [
    section('overview', 'Overview', overviewSection(checkpoint, verification, restore)),
    section('verification', 'Verification', verificationSection(verification)),
    section('restore', 'Restore here', restoreSection(restore, checkpoint)),
    ...(checkpoint
      ? [
          section('processes', 'Processes', processesSection(checkpoint, secrets)),
          section('memory', 'Memory', memorySection(checkpoint)),
          section('connections', 'Connections and files', connectionsSection(checkpoint)),
          section('timings', 'Timings', timingsSection(checkpoint)),
        ]
      : []),
    ...(difference ? [section('difference', 'Difference', difference)] : []),
  ]);
}

function titleOf(directory: string, checkpoint: CheckpointDescription | undefined): string {
  const [root] = checkpoint?.processes ?? [];
  if (!root) return `Checkpoint ${clipped(directory, MAX_TITLE)}`;
  const command = root.args && root.args.length > 0 ? root.args.join(' ') : root.name;
  return `Checkpoint of ${clipped(command, MAX_TITLE)} (${root.pid})`;
}
