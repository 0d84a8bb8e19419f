import { CriuError, type CriuErrorDetails } from '../errors.ts';

/** The error for a container that is unknown, in the wrong state, or that its runtime does not handle. */
export function containerFailure(
  operation: string,
  id: string,
  reason: string,
  details: CriuErrorDetails = {},
): CriuError {
  const message = `${operation}: container ${id}: ${reason}`;
  return new CriuError('ERR_CRIU_CONTAINER', message, { operation, ...details });
}
