import { CriuError, type CriuErrorCode, type WorkloadState } from '../../errors.ts';
import type { MigrationPhase } from './events.ts';

/** The operation of all that happens at the source. */
export const OPERATION = 'migrate';
/** gRPC's FAILED_PRECONDITION, with which a destination answers if it fails. */
const REFUSED = 9;

/** It cannot be, and nothing was frozen. */
export function refusal(text: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_MIGRATION_REFUSED', `${OPERATION}: ${text}`, facts(cause));
}

/** It broke off. */
export function failure(text: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_MIGRATION_FAILED', `${OPERATION}: ${text}`, facts(cause));
}

function facts(cause: unknown): { operation: string; cause?: unknown } {
  return { operation: OPERATION, ...(cause !== undefined && { cause }) };
}

/** Whether the destination itself has said so, and not gRPC. */
export function isAnswer(error: Error): boolean {
  return (error as { code?: unknown }).code === REFUSED;
}

/** Whether CRIU has only been told by our hook that something went wrong. */
export function isOfHook(error: unknown): boolean {
  return error instanceof CriuError && error.code === 'ERR_CRIU_HOOK';
}

/** What gRPC has to say, without its number; or what we have. */
export function detailsOf(error: Error): string {
  const { details } = error as { details?: string };
  return details?.replace(/ Resolution note: *$/, '') || error.message.replace(/^\w+: /, '');
}

/** What a migration was at when it failed, and what became of the original. */
interface Circumstances {
  readonly id: string;
  readonly pid: number;
  readonly phase: MigrationPhase;
  readonly workload: WorkloadState;
  /** Why it was cancelled, if it was. */
  readonly cancelled: CriuError | undefined;
  /** What switchBack threw. */
  readonly back: Error | undefined;
}

const ENDINGS: Readonly<Record<WorkloadState, string>> = {
  running: 'runs on',
  stopped: 'is stopped',
  gone: 'is gone',
  unknown: 'is not known',
};

/** The failure of a migration, as its caller is told it. */
export function explained(error: Error, collectEvidence: Circumstances): CriuError {
  const { id, pid, phase, workload, cancelled, back } = collectEvidence;
  const known = error instanceof CriuError ? error : undefined;
  const refused =
    known?.code === 'ERR_CRIU_MIGRATION_REFUSED' || known?.code === 'ERR_CRIU_INVALID_ARGUMENT';
  if (refused && known && !cancelled) return known;
  const code: CriuErrorCode = cancelled?.code ?? known?.code ?? 'ERR_CRIU_MIGRATION_FAILED';
  const text = cancelled ? cancelled.message.replace(/^\w+ /, 'it ') : detailsOf(error);
  const also = back ? `; switchBack threw as well: ${back.message}` : '';
  const message = `migration ${id}, phase ${phase}: ${text} (the original ${ENDINGS[workload]}${also})`;
  return new CriuError(code, message, {
    ...{ operation: OPERATION, pid, workload },
    ...{ log: known?.log, stderr: known?.stderr, exit: known?.exit, leftovers: known?.leftovers },
    findings: known?.findings,
    cause: cancelled?.cause ?? error,
  });
}
