import { CriuError, type CriuErrorCode } from '../errors.ts';
import type { Client } from '../operations/run.ts';
import type { PreflightOptions } from './options.ts';
import { preflight } from './preflight.ts';

/** How long an error may wait for its findings, in milliseconds. */
const LIMIT_MS = 1000;

/** Failures of CRIU itself, which the state of the processes may explain. */
const explicable: ReadonlySet<CriuErrorCode> = new Set([
  'ERR_CRIU_BUSY',
  'ERR_CRIU_FAILED',
  'ERR_CRIU_EOF',
  'ERR_CRIU_NO_PERMISSION',
]);

/**
 * Looks for what made a dump fail, while the processes are there, and notes it in the error. What
 * goes wrong here is of no interest: the error is what the caller needs.
 */
export async function explain(
  error: unknown,
  client: Client,
  pid: number,
  options: PreflightOptions,
): Promise<void> {
  if (!(error instanceof CriuError) || !explicable.has(error.code)) return;
  if (error.workload === 'gone') return;
  // The limits of the dump are used up, and its descriptors may be.
  const { signal, deadlineMs, gracePeriodMs, pageServer, statusFd, pidfdStoreSk, ...rest } =
    options;
  const given = { ...rest, deadlineMs: LIMIT_MS };
  try {
    error.findings = await preflight(client, pid, given, 'known');
  } catch {
    // It is over, or takes too long.
  }
}
