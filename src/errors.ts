import { inspect } from 'node:util';
import type { PreflightFinding } from './finding.ts';

/**
 * The codes of {@link CriuError}: stable, one for each cause that a caller can act on.
 *
 * - `ERR_CRIU_INVALID_ARGUMENT`: an argument or option is wrong; nothing was started.
 * - `ERR_CRIU_NOT_FOUND`: there is no such criu binary, or no such program to start.
 * - `ERR_CRIU_NOT_CRIU`: the program is not a CRIU: it does not answer a VERSION request.
 * - `ERR_CRIU_TOO_OLD`: CRIU is too old, for an option or for this kernel.
 * - `ERR_CRIU_NO_PERMISSION`: a program may not be run or signalled, or CRIU lacks capabilities.
 * - `ERR_CRIU_NO_SUCH_PROCESS`: there is no process with the pid to dump.
 * - `ERR_CRIU_BUSY`: another dump or a debugger traces the processes, and only one can; or two dumps needed the
 *   directory `proc.crtools` in one working directory.
 * - `ERR_CRIU_PID_BUSY`: a pid that the restore needs is in use.
 * - `ERR_CRIU_ADDRESS_IN_USE`: a port that a copy of a template needs, or should be published on, is in use.
 * - `ERR_CRIU_NO_MEM_TRACK`: the kernel does not track changed memory (soft-dirty).
 * - `ERR_CRIU_NO_LAZY_PAGES`: the kernel lacks the userfaultfd that lazy pages need.
 * - `ERR_CRIU_FAILED`: CRIU reported a failure that no other code stands for.
 * - `ERR_CRIU_HOOK`: a hook threw; its error is the `cause`.
 * - `ERR_CRIU_ABORTED`: the operation was cancelled by the `signal`; the reason is the `cause`.
 * - `ERR_CRIU_TIMEOUT`: the operation was cancelled at its deadline.
 * - `ERR_CRIU_EOF`: criu ended without an answer; `exit` says how.
 * - `ERR_CRIU_PROTOCOL`: criu sent a message that the protocol does not allow.
 * - `ERR_CRIU_REQUEST_TOO_LARGE`: the request does not fit into one packet (about 208 KiB).
 * - `ERR_CRIU_CLOSED`: the client, session, iteration or stream was closed, or has ended.
 * - `ERR_CRIU_SYSTEM`: a system call of the library itself failed; see `errno` and `cause`.
 * - `ERR_CRIU_PREFLIGHT`: a dump was not made because it could not be restored, or an iteration was not
 *   started because its dump would fail: see `findings`.
 * - `ERR_CRIU_LAZY_PAGES`: the transfer of lazy pages broke off; `workload` is the state of the processes
 *   on this host.
 * - `ERR_CRIU_MIGRATION_REFUSED`: a host refused the migration, for the reason in the message; nothing
 *   was frozen.
 * - `ERR_CRIU_MIGRATION_FAILED`: a migration failed; `workload` is the state of the original.
 * - `ERR_CRIU_MIGRATION_UNRESOLVED`: the destination has not confirmed that its copy runs; the original
 *   is stopped until {@link resolveMigration}.
 * - `ERR_CRIU_CONTAINER`: there is no such container, it does not run, or its runtime has failed.
 * - `ERR_CRIU_GUEST`: a program with `node-criu/guest` has refused its checkpoint, or a hook of a copy has failed;
 *   the program's own error is the `cause`.
 * - `ERR_CRIU_REGISTRY`: a registry of OCI images has refused a request, or does not answer.
 * - `ERR_CRIU_FLEET`: the Redis of a fleet does not answer or refuses a command, there is no such host or workload, or
 *   a name is in use.
 * - `ERR_CRIU_FLEET_REFUSED`: an agent of a fleet does not accept an order: its signature, its time, or what its
 *   operator may do.
 * - `ERR_CRIU_FLEET_NO_HOST`: no host of the fleet is possible for a workload; the message says why.
 * - `ERR_CRIU_BAD_IMAGE`: an image file is missing, or does not contain what its name says.
 * - `ERR_CRIU_UNSUPPORTED_PLATFORM`: the package has no addon for this system.
 */
export type CriuErrorCode =
  | 'ERR_CRIU_INVALID_ARGUMENT'
  | 'ERR_CRIU_NOT_FOUND'
  | 'ERR_CRIU_NOT_CRIU'
  | 'ERR_CRIU_TOO_OLD'
  | 'ERR_CRIU_NO_PERMISSION'
  | 'ERR_CRIU_NO_SUCH_PROCESS'
  | 'ERR_CRIU_BUSY'
  | 'ERR_CRIU_PID_BUSY'
  | 'ERR_CRIU_ADDRESS_IN_USE'
  | 'ERR_CRIU_NO_MEM_TRACK'
  | 'ERR_CRIU_NO_LAZY_PAGES'
  | 'ERR_CRIU_FAILED'
  | 'ERR_CRIU_HOOK'
  | 'ERR_CRIU_ABORTED'
  | 'ERR_CRIU_TIMEOUT'
  | 'ERR_CRIU_EOF'
  | 'ERR_CRIU_PROTOCOL'
  | 'ERR_CRIU_REQUEST_TOO_LARGE'
  | 'ERR_CRIU_CLOSED'
  | 'ERR_CRIU_SYSTEM'
  | 'ERR_CRIU_PROGRAM_ENDED'
  | 'ERR_CRIU_PREFLIGHT'
  | 'ERR_CRIU_LAZY_PAGES'
  | 'ERR_CRIU_MIGRATION_REFUSED'
  | 'ERR_CRIU_MIGRATION_FAILED'
  | 'ERR_CRIU_MIGRATION_UNRESOLVED'
  | 'ERR_CRIU_CONTAINER'
  | 'ERR_CRIU_GUEST'
  | 'ERR_CRIU_REGISTRY'
  | 'ERR_CRIU_FLEET'
  | 'ERR_CRIU_FLEET_REFUSED'
  | 'ERR_CRIU_FLEET_NO_HOST'
  | 'ERR_CRIU_BAD_IMAGE'
  | 'ERR_CRIU_UNSUPPORTED_PLATFORM';

/** How a process ended: `code` after it exited, `signal` after it was killed, both null if that is unknown. */
export interface ExitStatus {
  /** Its exit code. */
  readonly code: number | null;
  /** The signal that killed it. */
  readonly signal: NodeJS.Signals | null;
}

/** CRIU's log of an operation. */
export interface CriuLog {
  /** Path of the log file. */
  readonly path: string;
  /** Its error lines, at most the last 20, without CRIU's time stamps. */
  readonly errors: readonly string[];
}

/**
 * The state of the processes after a failed operation. `gone` also means, after a restore, that they
 * were never created.
 */
export type WorkloadState = 'running' | 'stopped' | 'gone' | 'unknown';

/**
 * Why a destination has refused a migration. The first four may pass: try again later.
 * - `unreachable`: it does not answer.
 * - `busy`: too many migrations are under way to it.
 * - `closing`: it is shutting down.
 * - `no-space`: it has too little memory or disk space.
 * - `pids-in-use`: ids of the processes are in use there.
 * - `not-authorized`: its operator does not accept the migration.
 * - `incompatible`: it cannot restore the processes.
 * - `version`: the hosts have no version of the protocol in common.
 * - `invalid`: the offer makes no sense to it.
 * - `over-limit`: this host has sent more than it offered.
 */
export type MigrationRefusal =
  | 'unreachable'
  | 'busy'
  | 'closing'
  | 'no-space'
  | 'pids-in-use'
  | 'not-authorized'
  | 'incompatible'
  | 'version'
  | 'invalid'
  | 'over-limit';

/** The optional properties of a {@link CriuError}: the constructor sets those that are given. */
export interface CriuErrorDetails
  extends Partial<
    Pick<
      CriuError,
      | 'operation'
      | 'option'
      | 'errno'
      | 'criuMessage'
      | 'log'
      | 'stderr'
      | 'exit'
      | 'workload'
      | 'pid'
      | 'cancelled'
      | 'leftovers'
      | 'findings'
      | 'refusal'
      | 'path'
      | 'offset'
    >
  > {
  /** The error that caused this one, most often that of a system call. */
  readonly cause?: unknown;
}

/**
 * Every failure of this library. The `code` is for programs, the `message` for people. An instance
 * has only the properties whose values are known.
 */
export class CriuError extends Error {
  /** Always `CriuError`. */
  override readonly name = 'CriuError';
  /** The stable cause. */
  readonly code: CriuErrorCode;
  /** The method that failed, such as `dump`. */
  declare readonly operation: string | undefined;
  /** The argument or option that was refused, or that needs a newer CRIU. */
  declare readonly option: string | undefined;
  /** CRIU's `cr_errno`, or the errno of a failed system call (positive). */
  declare readonly errno: number | undefined;
  /** CRIU's `cr_errmsg`: the first error of the run, often an unrelated one. */
  declare readonly criuMessage: string | undefined;
  /** CRIU's log; undefined if CRIU failed before it opened the file. */
  declare readonly log: CriuLog | undefined;
  /** The last 64 KiB of the standard error of criu, or of the program that ended at once. */
  declare readonly stderr: string | undefined;
  /** How criu ended, or the program that ended at once. */
  declare readonly exit: ExitStatus | undefined;
  /** The state of the processes after a failed dump, pre-dump or restore; of the original in a migration. */
  declare readonly workload: WorkloadState | undefined;
  /** The root process of the dump, or of the restore if CRIU got as far as creating it. */
  declare readonly pid: number | undefined;
  /**
   * How a cancelled operation ended: `refused` if CRIU was refused a step and rolled back by itself,
   * `killed` if criu was killed after the grace period, `disconnected` if the connection to a criu
   * service was closed after the grace period.
   */
  declare readonly cancelled: 'refused' | 'killed' | 'disconnected' | undefined;
  /**
   * What the clean-up after a criu that died could not undo, one phrase for each item; empty if it
   * undid everything. Set only if the criu of a dump or pre-dump has died, or a failed dump has left files behind.
   */
  declare readonly leftovers: readonly string[] | undefined;
  /**
   * What a preflight found: after a failed dump or pre-dump its likely cause, unless the processes are gone;
   * after a failed restore or lazy restore its likely cause, if it left no process; before an iteration or a
   * migration the reason of the refusal. Not set after other failures, and if the preflight took too long.
   */
  declare readonly findings: readonly PreflightFinding[] | undefined;
  /**
   * Why the destination has refused a migration, with the code `ERR_CRIU_MIGRATION_REFUSED`: of several
   * reasons, the one that is least likely to pass. With `ERR_CRIU_MIGRATION_FAILED`, why the destination has
   * cut this host off: `no-space` or `over-limit`. Not set if this host refused, or after other failures.
   */
  declare readonly refusal: MigrationRefusal | undefined;
  /** The image file that is damaged; set by the functions of `node-criu/images`. */
  declare readonly path: string | undefined;
  /** Where in the file the damage was found, in bytes; set by the functions of `node-criu/images`. */
  declare readonly offset: number | undefined;

  /** Creates an error of the same shape for failures of your own. */
  constructor(code: CriuErrorCode, message: string, details: CriuErrorDetails = {}) {
    // A hook may throw undefined, which is a cause as well.
    const hasCause =
      details.cause !== undefined || (code === 'ERR_CRIU_HOOK' && 'cause' in details);
    super(message, hasCause ? { cause: details.cause } : undefined);
    this.code = code;
    for (const name of detailNames) {
      const value = details[name];
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true });
    }
  }
}

const detailNames = [
  'operation',
  'option',
  'errno',
  'criuMessage',
  'log',
  'stderr',
  'exit',
  'workload',
  'pid',
  'cancelled',
  'leftovers',
  'findings',
  'refusal',
  'path',
  'offset',
] as const satisfies readonly (keyof CriuErrorDetails)[];

/** A copy of the error with the findings of a preflight. */
export function withFindings(error: CriuError, findings: readonly PreflightFinding[]): CriuError {
  return copyWith(error, { findings });
}

/** The error of a dump that was cancelled before it touched the processes, with their state. */
export function withWorkload(error: unknown, pid: number, workload: WorkloadState): unknown {
  const isCancelled =
    error instanceof CriuError && ['ERR_CRIU_TIMEOUT', 'ERR_CRIU_ABORTED'].includes(error.code);
  if (!isCancelled || error.workload !== undefined) return error;
  return copyWith(error, { pid, workload });
}

function copyWith(error: CriuError, details: CriuErrorDetails): CriuError {
  const all = { ...error, cause: error.cause, ...details };
  const copy = new CriuError(error.code, error.message, all);
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

/**
 * The refusal of an argument: `dump: option tcpEstablished takes a boolean, not 'yes'`. A value that
 * may be or contain a private key is not quoted.
 */
export function invalid(
  operation: string,
  option: string,
  takes: string,
  value: unknown,
): CriuError {
  return new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: ${shownName(option)} takes ${takes}, not ${isSecret(option) ? typeOf(value) : shown(value)}`,
    { operation, option },
  );
}

/** The refusal of an option that does not exist, so that a typo is not ignored. */
export function unknownOption(operation: string, option: string, meant?: string): CriuError {
  return new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: there is no option ${shownName(option)}${meant ? `; did you mean ${meant}?` : ''}`,
    { operation, option },
  );
}

/** The error of a system call that failed for lack of descriptors or memory; undefined for others. */
export function systemFailure(operation: string, error: unknown): CriuError | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes(code) ? asCriuError(operation, error) : undefined;
}

/** Returns a CriuError as it is, and wraps any other error as that of a system call of the library. */
export function asCriuError(operation: string, error: unknown): CriuError {
  if (error instanceof CriuError) return error;
  const { errno, message } = error as NodeJS.ErrnoException;
  return new CriuError('ERR_CRIU_SYSTEM', `${operation}: ${message}`, {
    operation,
    // Errors of Node's own functions have a negative errno.
    errno: errno === undefined ? undefined : Math.abs(errno),
    cause: error,
  });
}

/** The name of an option. Quotes anything that cannot be a name, so that the message stays one line. */
export function shownName(name: string): string {
  return /^[\w.[\]-]+$/.test(name) ? name : shown(name);
}

function isSecret(option: string): boolean {
  return option.split('.').some((name) => ['tls', 'encryption', 'token'].includes(name));
}

function typeOf(value: unknown): string {
  return value === undefined || value === null ? String(value) : `a value of type ${typeof value}`;
}

function shown(value: unknown): string {
  const full = inspected(value);
  if (full.includes('-----BEGIN ')) return 'PEM text';
  const text = full.replace(/[\s\p{Cc}]+/gu, ' ');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function inspected(value: unknown): string {
  try {
    // A custom inspect method of the value could do anything.
    return inspect(value, { breakLength: Infinity, compact: true, customInspect: false });
  } catch {
    return typeOf(value);
  }
}
