import { CriuError, type CriuErrorCode, withFindings } from '../errors.ts';
import type { PreflightOptions } from './options.ts';
import { type PreflightClient, preflight } from './preflight.ts';

/** Time limit of the preflight, in milliseconds: the caller waits for the error meanwhile. */
const LIMIT_MS = 1000;

/** Codes of failures that the state of the processes may explain. */
const explicable: ReadonlySet<CriuErrorCode> = new Set([
  'ERR_CRIU_BUSY',
  'ERR_CRIU_FAILED',
  'ERR_CRIU_EOF',
  'ERR_CRIU_NO_PERMISSION',
]);

/**
 * Runs a preflight after a dump has failed, while the processes still exist, and returns the error
 * with what it found. If the preflight itself fails, the error is returned as it is.
 */
export async function explain(
  error: unknown,
  client: PreflightClient,
  pid: number,
  options: PreflightOptions,
): Promise<unknown> {
  if (!(error instanceof CriuError) || !explicable.has(error.code)) return error;
  if (error.workload === 'gone') return error;
  // The deadline of the dump may have passed, and its descriptors may be closed.
  const { signal, deadlineMs, gracePeriodMs, pageServer, statusFd, pidfdStoreSk, ...rest } =
    options;
  const given = { ...rest, deadlineMs: LIMIT_MS };
  try {
    return withFindings(error, await preflight(client, pid, given, 'known'));
  } catch {
    return error;
  }
}
