import { CriuError, type CriuErrorCode, type CriuErrorDetails } from '../errors.ts';

/** The error of a fleet that lacks what was asked for, or whose Redis does not do what it should. */
export function fleetFailure(
  operation: string,
  reason: string,
  details: CriuErrorDetails = {},
): CriuError {
  return new CriuError('ERR_CRIU_FLEET', `${operation}: ${reason}`, { operation, ...details });
}

/** The error of an agent that does not accept an order. */
export function orderRefused(reason: string): CriuError {
  const operation = 'order';
  return new CriuError('ERR_CRIU_FLEET_REFUSED', reason, { operation });
}

/** What a job keeps of an error: its reason is the only text that a queue keeps. */
export function toJobReason(error: unknown): string {
  const { code, message } = error as Partial<CriuError>;
  return code?.startsWith('ERR_CRIU_') ? `${code} ${message}` : String(message ?? error);
}

/** The error that a job has failed with. */
export function fromJobReason(operation: string, reason: string): CriuError {
  const [, code = 'ERR_CRIU_FLEET', message = reason] =
    /^(ERR_CRIU_[A-Z_]+) (.*)$/s.exec(reason) ?? [];
  return new CriuError(code as CriuErrorCode, message, { operation });
}

/** True if a step has failed because it was cancelled. */
export function isCancelled(reason: string | undefined): boolean {
  return reason !== undefined && /was cancelled/.test(reason);
}
