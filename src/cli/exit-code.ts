import { CriuError, type CriuErrorCode } from '../index.ts';
import { Interrupted } from './interruption.ts';

/** The exit codes of the command, as `--help` and docs/command.md describe them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  refused: 3,
  unresolved: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** The last part of `--help`, the same for all verbs. */
export const exitCodesHelp = `
Exit codes:
  0    success; serve was told to end
  1    failed, and the processes are as before: they run, or are not restored
  2    wrong usage: an option, an argument, or a file or directory that one names
  3    refused before anything was touched; check, preflight or verify found a problem
  4    failed, and the processes are not as before, or their state is unknown: look at them
  130  cancelled by Ctrl-C (SIGINT) and rolled back; 143 if cancelled by SIGTERM

A failure prints node-criu: MESSAGE (CODE) on standard error, followed by findings with causes and
remedies, if there are any. With --json the last line of standard output is an object with the same.`;

/** Codes of failures that happen before any process is touched. */
const refusals: ReadonlySet<CriuErrorCode> = new Set([
  'ERR_CRIU_NOT_FOUND',
  'ERR_CRIU_NOT_CRIU',
  'ERR_CRIU_TOO_OLD',
  'ERR_CRIU_NO_SUCH_PROCESS',
  'ERR_CRIU_BUSY',
  'ERR_CRIU_NO_MEM_TRACK',
  'ERR_CRIU_NO_LAZY_PAGES',
  'ERR_CRIU_PREFLIGHT',
  'ERR_CRIU_MIGRATION_REFUSED',
  'ERR_CRIU_FLEET_REFUSED',
  'ERR_CRIU_FLEET_NO_HOST',
  'ERR_CRIU_BAD_IMAGE',
  'ERR_CRIU_UNSUPPORTED_PLATFORM',
]);

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CriuError)) return exitCodes.failed;
  const { code, operation, cause } = error;
  if (code === 'ERR_CRIU_INVALID_ARGUMENT') return exitCodes.wrongUsage;
  // For `run`, the code means that the program is not found.
  if (refusals.has(code) && operation !== 'spawnCheckpointable') return exitCodes.refused;
  if (code === 'ERR_CRIU_FAILED' && operation === 'check') return exitCodes.refused;
  if (!isUnchanged(error)) return exitCodes.unresolved;
  if (code !== 'ERR_CRIU_ABORTED') return exitCodes.failed;
  return cause instanceof Interrupted && cause.by === 'SIGTERM'
    ? exitCodes.terminated
    : exitCodes.interrupted;
}

/** True if the processes run, or are not restored, and the attempt left nothing behind. */
function isUnchanged({ operation, workload, leftovers = [] }: CriuError): boolean {
  const before = operation === 'restore' || operation === 'lazyRestore' ? 'gone' : 'running';
  return (workload === undefined || workload === before) && leftovers.length === 0;
}
