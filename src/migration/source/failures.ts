import {
  CriuError,
  type CriuErrorCode,
  type MigrationRefusal,
  type WorkloadState,
} from '../../errors.ts';
import { withoutState } from '../../failure/failure.ts';
import type { CopyStatus } from '../protocol/status.ts';
import type { MigrationPhase } from './events.ts';

/** The operation that errors of the source name. */
export const OPERATION = 'migrate';
/** gRPC's FAILED_PRECONDITION, the status of every error that a destination itself reports. */
const FAILED_PRECONDITION = 9;

/** The migration cannot begin; nothing was frozen. */
export function refusal(text: string, cause?: unknown, why?: MigrationRefusal): CriuError {
  const facts = { ...details(cause), ...(why && { refusal: why }) };
  return new CriuError('ERR_CRIU_MIGRATION_REFUSED', `${OPERATION}: ${text}`, facts);
}

/** The migration failed after it had begun. */
export function failure(text: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_MIGRATION_FAILED', `${OPERATION}: ${text}`, details(cause));
}

/** The destination has ended the migration by itself; the rest of the failure follows from that. */
export function cutOff({ message, refusal }: CopyStatus, cause: Error): CriuError {
  const text = `${OPERATION}: the destination has ended the migration: ${message}`;
  const facts = { ...details(cause), ...(refusal && { refusal }) };
  return new CriuError('ERR_CRIU_MIGRATION_FAILED', text, facts);
}

/** The destination may run the copy, and only the destination knows. */
export function unresolved(id: string, pid: number, cause: Error): CriuError {
  const message =
    `migration ${id}: the destination has not confirmed that the copy runs (${textOf(cause)}); ` +
    `the original is stopped until you call resolveMigration('${id}')`;
  const facts = { operation: OPERATION, pid, workload: 'stopped', cause } as const;
  return new CriuError('ERR_CRIU_MIGRATION_UNRESOLVED', message, facts);
}

function details(cause: unknown): { operation: string; cause?: unknown } {
  return { operation: OPERATION, ...(cause !== undefined && { cause }) };
}

/** True if the destination itself reported the error, false if gRPC did. */
export function isReported(error: Error): boolean {
  return (error as { code?: unknown }).code === FAILED_PRECONDITION;
}

/** True if criu failed only because a hook of ours threw. */
export function isHookFailure(error: unknown): boolean {
  return error instanceof CriuError && error.code === 'ERR_CRIU_HOOK';
}

/** The text of an error, without gRPC's status number or the name of the operation. */
export function textOf(error: Error): string {
  const { details } = error as { details?: string };
  return details?.replace(/ Resolution note: *$/, '') || error.message.replace(/^\w+: /, '');
}

/** What the error of a failed migration reports. */
interface FailedMigration {
  readonly id: string;
  readonly pid: number;
  readonly phase: MigrationPhase;
  readonly workload: WorkloadState;
  /** Why the migration was cancelled, if it was. */
  readonly cancelledBy: CriuError | undefined;
  /** Why the addresses could not be moved back. */
  readonly switchBackError: Error | undefined;
}

const WORKLOADS: Readonly<Record<WorkloadState, string>> = {
  running: 'the original runs on',
  stopped: 'the original is stopped',
  gone: 'the original is gone',
  unknown: 'the state of the original is unknown',
};

/** The error with which `Migration.result` rejects. */
export function migrationError(error: Error, migration: FailedMigration): CriuError {
  const { id, pid, phase, workload, cancelledBy, switchBackError } = migration;
  const known = error instanceof CriuError ? error : undefined;
  const isRefusal =
    known?.code === 'ERR_CRIU_MIGRATION_REFUSED' || known?.code === 'ERR_CRIU_INVALID_ARGUMENT';
  if (known && isRefusal && !cancelledBy) return known;
  const code: CriuErrorCode = cancelledBy?.code ?? known?.code ?? 'ERR_CRIU_MIGRATION_FAILED';
  const reason = withoutState(textOf(error));
  const text = cancelledBy ? cancelledBy.message.replace(/^\w+ /, 'it ') : reason;
  const also = switchBackError ? `; the addresses are not back: ${switchBackError.message}` : '';
  const message = `migration ${id}, phase ${phase}: ${text} (${WORKLOADS[workload]}${also})`;
  return new CriuError(code, message, {
    ...{ operation: OPERATION, pid, workload },
    ...{ log: known?.log, stderr: known?.stderr, exit: known?.exit, leftovers: known?.leftovers },
    ...{ findings: known?.findings, refusal: known?.refusal },
    cause: cancelledBy?.cause ?? error,
  });
}
