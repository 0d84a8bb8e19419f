import { CriuError, type CriuErrorCode } from '../index.ts';
import { Interrupted } from './interruption.ts';

/** What the command exits with; `--help` and README.md tell the same. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  refused: 3,
  unresolved: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** The part of `--help` that is the same for all verbs. */
export const exitCodesHelp = `
Exit codes:
  0    it is done; serve was told to end
  1    it failed, and the processes are as they were: running on, or not restored
  2    the command is wrong: an option, an argument, or a file or directory named in one
  3    refused, nothing was touched; check, preflight and verify have found something in the way
  4    it failed, and things are not as they were, or nobody can tell: look how the processes are
  130  cancelled by Ctrl-C (SIGINT), and rolled back; 143 by SIGTERM

Of a failure standard error tells: node-criu: MESSAGE (CODE). Below it may be lines with what is in
the way and what helps. With --json the last line of standard output is an object that has them.`;

/** Failures that come before any process is touched. */
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
  'ERR_CRIU_BAD_IMAGE',
  'ERR_CRIU_UNSUPPORTED_PLATFORM',
]);

/** What to exit with after an error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CriuError)) return exitCodes.failed;
  const { code, operation, cause } = error;
  if (code === 'ERR_CRIU_INVALID_ARGUMENT') return exitCodes.wrongUsage;
  // Of `run` it is the program that is not found.
  if (refusals.has(code) && operation !== 'spawnCheckpointable') return exitCodes.refused;
  if (code === 'ERR_CRIU_FAILED' && operation === 'check') return exitCodes.refused;
  if (!isAsBefore(error)) return exitCodes.unresolved;
  if (code !== 'ERR_CRIU_ABORTED') return exitCodes.failed;
  return cause instanceof Interrupted && cause.by === 'SIGTERM'
    ? exitCodes.terminated
    : exitCodes.interrupted;
}

/** Whether the processes run on, or are not restored, and nothing else is left of the attempt. */
function isAsBefore({ operation, workload, leftovers = [] }: CriuError): boolean {
  const before = operation === 'restore' ? 'gone' : 'running';
  return (workload === undefined || workload === before) && leftovers.length === 0;
}
