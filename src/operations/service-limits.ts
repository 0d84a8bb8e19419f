import { CriuError } from '../errors.ts';
import type { CriuOpts } from '../options/types.ts';
import type { Client } from './client.ts';

/** Why options with descriptors do not work. */
export const INHERITS = 'criu inherits descriptors only from the process that starts it';

/**
 * Refuses the options that a criu service does not support, before anything is sent.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT with the name of the option
 */
export function assertServiceSupports(
  { socket }: Client,
  operation: string,
  options: CriuOpts,
): void {
  if (socket === undefined) return;
  const { inheritFd, pageServer, asChild, shellJob } = options;
  if (inheritFd !== undefined) throw unsupported(operation, 'inheritFd', INHERITS);
  if (pageServer?.fd !== undefined) throw unsupported(operation, 'pageServer.fd', INHERITS);
  if (asChild) {
    throw unsupported(operation, 'asChild', 'the restored process becomes a child of the service');
  }
  if (operation === 'restore' && shellJob) {
    throw unsupported(operation, 'shellJob', 'criu would join the session of the service');
  }
}

/**
 * Refuses an operation that needs a criu process of its own.
 * @param reason why, as a clause
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function assertOwnCriu({ socket }: Client, operation: string, reason: string): void {
  if (socket === undefined) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: not possible over a criu service: ${reason}; use a Criu without the option socket`,
    { operation, option: 'socket' },
  );
}

/** The refusal of an option by its name. */
export function unsupported(operation: string, option: string, reason: string): CriuError {
  return new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: option ${option} does not work over a criu service: ${reason}`,
    { operation, option },
  );
}
