import { inspect } from 'node:util';
import type { PreflightFinding } from './preflight/finding.ts';

/**
 * The codes of {@link CriuError}: stable, one for each cause that a caller can act on.
 *
 * - `ERR_CRIU_INVALID_ARGUMENT`: an argument or option is wrong; nothing was started.
 * - `ERR_CRIU_NOT_FOUND`: there is no such criu binary, or no such program to start.
 * - `ERR_CRIU_NOT_CRIU`: the program is not a CRIU: it does not answer a VERSION request.
 * - `ERR_CRIU_TOO_OLD`: an option needs a newer CRIU than the one that runs.
 * - `ERR_CRIU_NO_PERMISSION`: a program may not be run or signalled, or CRIU lacks capabilities.
 * - `ERR_CRIU_NO_SUCH_PROCESS`: there is no process with the pid to dump.
 * - `ERR_CRIU_BUSY`: another dump or a debugger traces the processes, and only one can.
 * - `ERR_CRIU_PID_BUSY`: a pid that the restore needs is in use.
 * - `ERR_CRIU_NO_MEM_TRACK`: the kernel does not track changed memory (soft-dirty).
 * - `ERR_CRIU_NO_LAZY_PAGES`: the kernel lacks the userfaultfd that lazy pages need.
 * - `ERR_CRIU_FAILED`: CRIU tried, failed and said so.
 * - `ERR_CRIU_HOOK`: a hook threw; its error is the `cause`.
 * - `ERR_CRIU_ABORTED`: cancelled by the `signal`; its reason is the `cause`.
 * - `ERR_CRIU_TIMEOUT`: cancelled at the deadline.
 * - `ERR_CRIU_EOF`: criu ended without an answer; `exit` says how.
 * - `ERR_CRIU_PROTOCOL`: criu sent what the protocol does not allow.
 * - `ERR_CRIU_REQUEST_TOO_LARGE`: the request does not fit into one packet (about 208 KiB).
 * - `ERR_CRIU_CLOSED`: the client, session or iteration was closed, or has ended.
 * - `ERR_CRIU_SYSTEM`: a system call of the library itself failed; see `errno` and `cause`.
 * - `ERR_CRIU_PREFLIGHT`: an iteration is not begun, since its dump would fail: see `findings`.
 * - `ERR_CRIU_LAZY_PAGES`: the transfer of lazy pages broke off; `workload` says what became of the
 *   processes on this side.
 * - `ERR_CRIU_MIGRATION_REFUSED`: a migration cannot be, as the message says; nothing was frozen.
 * - `ERR_CRIU_MIGRATION_FAILED`: a migration failed, and the original is where `workload` says.
 * - `ERR_CRIU_MIGRATION_UNRESOLVED`: the destination cannot be asked whether its copy runs; the
 *   original is stopped until {@link resolveMigration}.
 * - `ERR_CRIU_BAD_IMAGE`: an image file is missing, or is not what its name says.
 * - `ERR_CRIU_UNSUPPORTED_PLATFORM`: there is no addon for this system.
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
  | 'ERR_CRIU_PREFLIGHT'
  | 'ERR_CRIU_LAZY_PAGES'
  | 'ERR_CRIU_MIGRATION_REFUSED'
  | 'ERR_CRIU_MIGRATION_FAILED'
  | 'ERR_CRIU_MIGRATION_UNRESOLVED'
  | 'ERR_CRIU_BAD_IMAGE'
  | 'ERR_CRIU_UNSUPPORTED_PLATFORM';

/** How a process ended: `code` after it exited, `signal` after it was killed, both null if nobody can know. */
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
 * What became of the processes of a failed operation: they run, are stopped, are gone (or, after a
 * restore, never came to be), or it cannot be told.
 */
export type WorkloadState = 'running' | 'stopped' | 'gone' | 'unknown';

/** What a {@link CriuError} carries besides code and message: of its properties those that are known. */
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
    >
  > {
  /** What it was caused by: most often the error of a system call. */
  readonly cause?: unknown;
}

/** Every failure of this library. The `code` is for programs, the `message` for people. */
export class CriuError extends Error {
  /** What tells it from other errors, as `instanceof` does. */
  override readonly name = 'CriuError';
  /** The stable cause. */
  readonly code: CriuErrorCode;
  /** The method that failed, as `dump`. */
  readonly operation: string | undefined;
  /** The argument or option that was refused, or that needs a newer CRIU. */
  readonly option: string | undefined;
  /** CRIU's `cr_errno`, or the errno of a failed system call (positive). */
  readonly errno: number | undefined;
  /** CRIU's `cr_errmsg`: the first error of the run, often an unrelated one. */
  readonly criuMessage: string | undefined;
  /** The log file, if CRIU came so far as to open it. */
  readonly log: CriuLog | undefined;
  /** The last 64 KiB of criu's standard error. */
  readonly stderr: string | undefined;
  /** How criu ended. */
  readonly exit: ExitStatus | undefined;
  /** What became of the processes, after a failed dump, pre-dump or restore. */
  readonly workload: WorkloadState | undefined;
  /** The root process of the dump, or of the restore if CRIU came so far as to make it. */
  readonly pid: number | undefined;
  /**
   * How a cancelled operation ended: CRIU was `refused` a step and rolled back by itself, or it was
   * `killed` after the grace period.
   */
  readonly cancelled: 'refused' | 'killed' | undefined;
  /**
   * After a dump or pre-dump whose criu has died, which is cleaned up after: what could not be, or
   * is not as it was, a phrase for each. Empty if there is nothing; undefined after all else.
   */
  readonly leftovers: readonly string[] | undefined;
  /**
   * What {@link Criu.preflight} found in the way after a dump or pre-dump had failed, most likely its
   * cause; undefined after all else, and if the processes are gone or it took too long.
   */
  findings: readonly PreflightFinding[] | undefined;

  /** For errors of your own that are to look the same. */
  constructor(code: CriuErrorCode, message: string, details: CriuErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.operation = details.operation;
    this.option = details.option;
    this.errno = details.errno;
    this.criuMessage = details.criuMessage;
    this.log = details.log;
    this.stderr = details.stderr;
    this.exit = details.exit;
    this.workload = details.workload;
    this.pid = details.pid;
    this.cancelled = details.cancelled;
    this.leftovers = details.leftovers;
  }
}

/** The refusal of an argument: `dump: option tcpEstablished takes a boolean, not 'yes'`. */
export function invalid(
  operation: string,
  option: string,
  takes: string,
  value: unknown,
): CriuError {
  return new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: ${shownName(option)} takes ${takes}, not ${shown(value)}`,
    { operation, option },
  );
}

/** The refusal of an option that does not exist, so that a typo is not ignored. */
export function unknownOption(operation: string, option: string, meant?: string | null): CriuError {
  return new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: there is no option ${shownName(option)}${meant ? `; did you mean ${meant}?` : ''}`,
    { operation, option },
  );
}

/** The error of a system call that failed for want of something that is no fault of the arguments. */
export function systemFailure(operation: string, error: unknown): CriuError | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes(code) ? asCriuError(operation, error) : undefined;
}

/** An error of this library as it is; any other is that of a system call of its own. */
export function asCriuError(operation: string, error: unknown): CriuError {
  if (error instanceof CriuError) return error;
  const { errno, message } = error as NodeJS.ErrnoException;
  return new CriuError('ERR_CRIU_SYSTEM', `${operation}: ${message}`, {
    operation,
    // Node's own functions have it negative.
    errno: errno === undefined ? undefined : Math.abs(errno),
    cause: error,
  });
}

/** The name of an option; what could be none is quoted, so that the message stays one line. */
export function shownName(name: string): string {
  return /^[\w.[\]-]+$/.test(name) ? name : shown(name);
}

function shown(value: unknown): string {
  const text = inspected(value).replace(/[\s\p{Cc}]+/gu, ' ');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function inspected(value: unknown): string {
  try {
    // Not by a method of the value itself: it might do anything.
    return inspect(value, { breakLength: Infinity, compact: true, customInspect: false });
  } catch {
    return `a value of type ${typeof value}`;
  }
}
