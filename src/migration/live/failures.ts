import { CriuError } from '../../errors.ts';

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
