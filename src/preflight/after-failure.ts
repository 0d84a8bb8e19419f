import { CriuError, type CriuErrorCode, withFindings } from '../errors.ts';
import type { PreflightFinding } from '../finding.ts';
import type { PreflightOptions } from './options.ts';
import { type PreflightClient, preflight } from './preflight.ts';
import type { PreflightRestoreOptions } from './restore/options.ts';
import { preflightRestore } from './restore/preflight-restore.ts';

/** Time limit of the preflight, in milliseconds: the caller waits for the error meanwhile. */
const LIMIT_MS = 3000;

/** Codes of failures that the state of the processes, the images or the host may explain. */
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
  if (error instanceof CriuError && error.workload === 'gone') return error;
  // The deadline of the dump may have passed, and its descriptors may be closed.
  const { signal, deadlineMs, gracePeriodMs, pageServer, statusFd, pidfdStoreSk, ...rest } =
    options;
  const given = { ...rest, deadlineMs: LIMIT_MS };
  return await withFound(error, () => preflight(client, pid, given, 'known'));
}

/**
 * Runs a preflight after a restore has failed and left no process, and returns the error with what it
 * found. If the preflight itself fails, the error is returned as it is.
 */
export async function explainRestore(
  error: unknown,
  client: PreflightClient,
  { signal, deadlineMs, gracePeriodMs, ...options }: PreflightRestoreOptions,
): Promise<unknown> {
  if (error instanceof CriuError && error.workload !== 'gone') return error;
  const given = { ...options, deadlineMs: LIMIT_MS };
  return await withFound(error, () => preflightRestore(client, given, 'known'));
}

async function withFound(
  error: unknown,
  look: () => Promise<PreflightFinding[]>,
): Promise<unknown> {
  if (!(error instanceof CriuError) || !explicable.has(error.code)) return error;
  try {
    const findings = await look();
    return withFindings(
      error,
      findings.filter(({ severity }) => severity !== 'info'),
    );
  } catch {
    return error;
  }
}
