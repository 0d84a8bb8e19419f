import { CriuError, type MigrationRefusal } from '../../errors.ts';

/** The refusals of a destination that may pass. */
const PASSING: readonly MigrationRefusal[] = [
  'unreachable',
  'busy',
  'closing',
  'no-space',
  'pids-in-use',
];

/** The failures after which the original runs on, and that may not happen again. */
const REPEATABLE: readonly string[] = [
  'ERR_CRIU_MIGRATION_FAILED',
  'ERR_CRIU_MIGRATION_UNRESOLVED',
  'ERR_CRIU_BUSY',
  'ERR_CRIU_SYSTEM',
  'ERR_CRIU_LAZY_PAGES',
];

/** The error of a step that is tried again later. */
export class TryLater extends Error {}

/** True if a step that has failed like this is worth another attempt. */
export function isPassing(error: unknown): boolean {
  if (error instanceof TryLater) return true;
  if (!(error instanceof CriuError)) return false;
  if (error.code === 'ERR_CRIU_MIGRATION_REFUSED') {
    return error.refusal !== undefined && PASSING.includes(error.refusal);
  }
  return REPEATABLE.includes(error.code);
}
