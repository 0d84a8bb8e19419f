import { constants, release } from 'node:os';
import type { Cancellation } from '../concurrency/cancellation.ts';
import type { CriuErrorCode, CriuLog, WorkloadState } from '../errors.ts';
import { table } from '../options/table.ts';
import type { CriuOpts } from '../options/types.ts';
import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, hasCapability } from '../procfs/capability.ts';
import { readStatusSync } from '../procfs/status.ts';
import type { Tracer } from '../procfs/tracer.ts';
import type { CriuResponse } from '../protocol/messages.ts';
import type { Remains } from '../worker/connection.ts';
import { errorLines } from './log.ts';
import { CRIU_WITH_SOCKETS, tooOldForSockets } from './old-criu.ts';

/** Why this library made criu fail by means other than the protocol. */
export interface AbortReason {
  readonly code: CriuErrorCode;
  readonly text: string;
  readonly cause?: unknown;
}

/** Everything that is known about a failed operation. */
export interface Evidence {
  readonly operation: string;
  /** What the request of a session is; its `operation` is always `session`. */
  readonly kind?: 'dump' | 'restore' | undefined;
  /** The operation and its object, as `dump of process 12`. */
  readonly label: string;
  readonly remains: Remains;
  /** Version and path of the CRIU that failed, for messages. */
  readonly criu?: string | undefined;
  readonly log?: CriuLog | undefined;
  /** A likely cause that CRIU never logs; used as a fallback. */
  readonly hint?: string | undefined;
  readonly cancellation?: Cancellation | undefined;
  readonly workload?: WorkloadState | undefined;
  readonly pid?: number | undefined;
  /** What prevents tracing the process to dump; determined after the failure. */
  readonly tracer?: Tracer | undefined;
  /** True if the process existed, but the kernel did not let CRIU trace it. */
  readonly refused?: boolean | undefined;
  /** Why the operation failed, if this library knows more than criu does. */
  readonly abortReason?: AbortReason | undefined;
  /** What a criu that died left behind and the cleanup could not remove. */
  readonly leftovers?: readonly string[] | undefined;
  /** Describes who uses a pid on this host; undefined if the pids to restore are not this host's. */
  readonly describePid?: ((pid: number) => string | undefined) | undefined;
  /** Describes who uses the number of a terminal on this host. */
  readonly describeTerminal?: ((index: number) => string | undefined) | undefined;
}

/** What an operation finds out when criu has ended, if it has failed. */
export type Findings = Pick<
  Evidence,
  | 'workload'
  | 'pid'
  | 'tracer'
  | 'refused'
  | 'abortReason'
  | 'leftovers'
  | 'describePid'
  | 'describeTerminal'
>;

/** Determines the cause of a failure from the reply, the log and standard error. */
export function causeOf(
  reply: CriuResponse,
  evidence: Evidence,
): { code: CriuErrorCode; text: string } {
  const tooOld = tooOldForKernel(evidence);
  if (tooOld) return { code: 'ERR_CRIU_TOO_OLD', text: tooOld };
  const complaint = usageError(evidence);
  const cause = inPlainWords(reply, evidence) ?? trueCause(evidence);
  const text =
    lackingResource(cause) ??
    (evidence.remains.isService ? undefined : notAllowed(cause)) ??
    cause ??
    (complaint && [complaint, evidence.hint].filter(Boolean).join('; ')) ??
    (evidence.hint && `criu gave no reason; ${evidence.hint}`) ??
    lastError(evidence) ??
    unreadLog(reply, evidence) ??
    // An empty message is as good as none.
    (firstError(reply) || `criu gave no reason (errno ${reply.cr_errno ?? 'unknown'})`);
  return { code: codeOf(reply, text, evidence), text: withOption(text) };
}

/** A CRIU that does not know this kernel's vDSO fails every request except VERSION. */
function tooOldForKernel({ log, remains, criu = 'this CRIU' }: Evidence): string | undefined {
  const errors = [...(log?.errors ?? []), ...errorLines(remains.stderr ?? '')];
  if (errors.some((line) => LACKING_SOCKET_OPTION.test(line))) {
    return `${tooOldForSockets(criu)}; ${CRIU_WITH_SOCKETS}`;
  }
  if (!errors.some((line) => UNKNOWN_VDSO.test(line))) return;
  return `${criu} is too old for the kernel ${release()}, whose vDSO it does not know; install CRIU 4.2 or newer, from a newer distribution or https://criu.org`;
}

/** SO_PASSCRED or SO_PASSSEC, which a TCP socket does not have since Linux 6.16. */
const LACKING_SOCKET_OPTION = /^sockets: Can't get 1:(16|34) opt: Operation not supported/;

/** CRIU 3.17 may write only the first letter of the message, followed by NUL bytes. */
const UNKNOWN_VDSO =
  /^vdso: (Unexpected rt vDSO area bounds|Failed to fill self vdso symtable|U\0)|^kerndat_vdso_fill_symtable failed/;

/** Describes how criu ended without a reply. The exit status of a service's criu is unknown. */
export function endOf(evidence: Evidence): string {
  const { exit, isService } = evidence.remains;
  const how = exit?.signal ? `was killed by ${exit.signal}` : `exited with ${exit?.code}`;
  const cause = trueCause(evidence) ?? usageError(evidence);
  const end = isService ? 'the criu service closed the connection' : `criu ${how}`;
  return `${end} without a reply${cause ? `: ${cause}` : ''}`;
}

/** Errors that CRIU logs whatever the cause, in the order of its steps. */
const noise: readonly RegExp[] = [
  // Always logged without CAP_SYS_RESOURCE.
  /^rlimit: Can't setup RLIMIT_NOFILE/,
  // A process that no earlier round dumped: CRIU writes its whole memory.
  /^page-xfer: No parent image found, though parent directory is set/,
  // CRIU closes the connection to a page server that it cannot reach or that rejects its certificate.
  /^page-xfer: Can't send PSI 413[12] to server/,
  /^tls: Failed to send data: (The request is invalid|Cannot perform this action)/,
  /^tls: Push callback send failed: Broken pipe/,
  // CRIU has not frozen anything yet.
  /^Unable to detach from \d+: No such process$/,
  // Logged after every failure.
  /^(Dumping|Pre-dumping|Restoring|Restore) FAILED\.?$/,
  /^RPC client reported/,
  /^(Pre|Post) dump script/,
  /^Restorer fail \d+$/,
];

/** Errors that follow from the cause; reported only if CRIU does not log the cause itself. */
const consequences: readonly RegExp[] = [
  // One process fails because another one did.
  /^(\w+: )?Can't wait or bad status: /,
  /^(Task |\d+ )*(exited, status=|killed by signal ) ?\d+/,
  /^Killing processes because of failure/,
  // The other end of a socket pair of CRIU's processes has failed.
  /^(cg: )?(cgroupd|uns): recv req error/,
  /^Can't make \w+ id$/,
  /^Can't infect \(pid: \d+\) with parasite$/,
  /^(Parasite failed to dump |Can't get (\/proc|proc) fd|Message reply from daemon is trimmed)/i,
  /^Can't retrieve FDs? from socket/,
  /^`- Can't open vma$/,
  /^Can't fixup VMA's fd$/,
  /^Unable to open fd=/,
  /^Can't dump page with parasite$/,
  /^Can't open images directory: /,
  /^Unexpected EOF on \(empty-image\)$/,
  /failed with -?\d+\.?$/,
  // A probe of the kernel failed; the end of the line may be missing.
  /^kerndat_\w*( failed.*)?$/,
];

/**
 * The cause in CRIU's words: the last error in the log that is neither noise nor a consequence, or
 * the last such error on standard error if CRIU failed before it opened the log. There it keeps only the
 * first KiB, so that the last line may be cut.
 */
export function trueCause({
  log,
  remains,
}: Pick<Evidence, 'log'> & Partial<Pick<Evidence, 'remains'>>): string | undefined {
  const isCause = (line: string) => !isNoise(line) && !isConsequence(line);
  const stderr = remains?.stderr ?? '';
  const whole = stderr.slice(0, stderr.lastIndexOf('\n') + 1);
  return (
    log?.errors.findLast(isCause) ??
    errorLines(whole).findLast(isCause) ??
    errorLines(stderr).findLast(isCause)
  );
}

/** An error of CRIU's parser of options and configuration files, which has a format of its own. */
function usageError({ remains }: Evidence): string | undefined {
  return /^criu: (.+)$/m.exec(remains.stderr ?? '')?.[1];
}

/** The error in `cr_errmsg`, which holds either lines of the log or a message of its own. */
function firstError({ cr_errmsg = '' }: CriuResponse): string {
  return errorLines(cr_errmsg)[0] ?? cr_errmsg.trim();
}

/** The last consequence of the cause; if there is none, the last error of any kind. */
function lastError({ log, remains }: Evidence): string | undefined {
  const errors = [...errorLines(remains.stderr ?? ''), ...(log?.errors ?? [])];
  const last = errors.findLast(isConsequence) ?? errors.at(-1);
  return last?.includes('(empty-image)') ? `an image file is missing: ${last}` : last;
}

const isNoise = (line: string) => noise.some((pattern) => pattern.test(line));
const isConsequence = (line: string) => consequences.some((pattern) => pattern.test(line));

/** Explains errors of CRIU that only readers of its source would understand. */
function inPlainWords(reply: CriuResponse, evidence: Evidence): string | undefined {
  const { log } = evidence;
  if (cannotSeize(reply, evidence)) {
    return notSeized(evidence).text;
  }
  const held = heldBelow(evidence);
  if (held) return `another dump or a debugger traces process ${held}, which is in the tree`;
  if (!isRestore(evidence)) return undefined;
  const busy = log?.errors.findLast((line) => taken.test(line));
  if (busy) {
    const pid = taken.exec(busy)?.slice(1).find(Boolean);
    const occupant = evidence.describePid?.(Number(pid));
    return `pid ${pid} is in use${occupant ? ` by ${occupant}` : ''}: ${busy}`;
  }
  const [terminalError, index] = takenTerminal.exec(trueCause(evidence) ?? '') ?? [];
  const owner = index === undefined ? undefined : evidence.describeTerminal?.(Number(index));
  if (owner) return `/dev/pts/${index} is in use by ${owner}: ${terminalError}`;
  const quiet = reply.cr_errno === constants.errno.EEXIST && !trueCause(evidence);
  return quiet ? 'a pid that the tree needs is in use' : undefined;
}

/** CRIU reports missing capabilities on standard output only, or fails at its first probe. */
function notAllowed(cause: string | undefined): string | undefined {
  if (cause !== undefined && !/(Operation not permitted|Permission denied)$/.test(cause)) return;
  const effective = readStatusSync('self')?.capabilities.effective;
  if (effective === undefined) return;
  if ([CAP_SYS_ADMIN, CAP_CHECKPOINT_RESTORE].some((each) => hasCapability(effective, each)))
    return;
  const lack = 'this process lacks the capability CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE';
  return cause === undefined ? lack : `${lack}: ${cause}`;
}

/** The first error that CRIU logs when it lacks CAP_SYS_RESOURCE. */
const NO_RLIMIT = "rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted";
const LACKS_RESOURCE =
  'criu lacks the capability CAP_SYS_RESOURCE, which it needs for a process of another user';

/** CRIU reads limits by prlimit(2), which requires CAP_SYS_RESOURCE for another user's process. */
function lackingResource(cause: string | undefined): string | undefined {
  if (cause === undefined || !/^Can't get rlimit \d+: Operation not permitted$/.test(cause)) return;
  return `${LACKS_RESOURCE}: ${cause}`;
}

/** A service writes its log as its own user, and the caller may not be allowed to read it. */
function unreadLog(reply: CriuResponse, { log, remains }: Evidence): string | undefined {
  if (!remains.isService || !log || log.errors.length > 0) return;
  const first = firstError(reply);
  const reason = first === NO_RLIMIT ? LACKS_RESOURCE : first || 'criu gave no reason';
  return `${reason} (this process cannot read the log ${log.path})`;
}

/** Errors that CRIU logs if a restore finds a pid in use. */
const taken = /^Pid \d+ do not match expected (\d+)|Can't fork for (\d+): File exists/;

/** The error that CRIU logs if it does not get a terminal's number, which may be in use. */
const takenTerminal = /^tty: Can't open master pty \S+ \(index (\d+)\)/;

/** The process below the root, or the thread, that CRIU could not seize because it is traced. */
function heldBelow(evidence: Evidence): string | undefined {
  return /^Unseizable non-zombie (\d+) found, state t\b/.exec(trueCause(evidence) ?? '')?.[1];
}

/** CRIU replies ESRCH also for a process that exists but that it may not seize. */
function cannotSeize({ cr_errno }: CriuResponse, evidence: Evidence): boolean {
  return !isRestore(evidence) && cr_errno === constants.errno.ESRCH;
}

/** True for a restore, also by a session. */
export function isRestore({ operation, kind }: Evidence): boolean {
  return (kind ?? operation) === 'restore';
}

/** The warning that CRIU logs if the kernel does not let it trace an existing process. */
export function notPermitted(pid: number): string {
  return `Unable to interrupt task: ${pid} (Operation not permitted)`;
}

/** Explains why CRIU could not seize the process to dump. */
function notSeized({ pid, tracer, workload, refused }: Evidence): {
  code: CriuErrorCode;
  text: string;
} {
  if (tracer?.by === 'tracer') {
    const its = `its tracer is process ${tracer.pid} (${tracer.name}), and it can have only one`;
    return { code: 'ERR_CRIU_BUSY', text: `another process traces process ${pid}: ${its}` };
  }
  if (workload !== 'running' && workload !== 'stopped') {
    return refused
      ? { code: 'ERR_CRIU_BUSY', text: `another dump or a debugger traced process ${pid}` }
      : { code: 'ERR_CRIU_NO_SUCH_PROCESS', text: `there is no process ${pid ?? 'with this pid'}` };
  }
  switch (tracer?.by) {
    case 'nobody':
      return {
        code: 'ERR_CRIU_BUSY',
        text: `another dump or a debugger traced process ${pid}, and has released it since`,
      };
    case 'denied':
      return { code: 'ERR_CRIU_NO_PERMISSION', text: `this process may not trace process ${pid}` };
    case 'kernel':
      return { code: 'ERR_CRIU_FAILED', text: `process ${pid} is a thread of the kernel` };
    default:
      return { code: 'ERR_CRIU_FAILED', text: `process ${pid} cannot be seized` };
  }
}

function codeOf(reply: CriuResponse, text: string, evidence: Evidence): CriuErrorCode {
  const { log } = evidence;
  if (cannotSeize(reply, evidence)) return notSeized(evidence).code;
  if (heldBelow(evidence)) return 'ERR_CRIU_BUSY';
  if (isRestore(evidence)) {
    if (reply.cr_errno === constants.errno.EEXIST || log?.errors.some((line) => taken.test(line))) {
      return 'ERR_CRIU_PID_BUSY';
    }
  }
  if (/CAP_SYS_ADMIN|CAP_CHECKPOINT_RESTORE|CAP_SYS_RESOURCE/.test(text))
    return 'ERR_CRIU_NO_PERMISSION';
  return 'ERR_CRIU_FAILED';
}

/** Errors that an option avoids, although CRIU's message does not name the option. */
const hints: readonly (readonly [RegExp, ...(keyof CriuOpts)[]])[] = [
  [/Found dangling tty/, 'shellJob'],
  // CRIU names --ext-unix-sk, with which it crashes unless the socket is one for datagrams.
  [/External socket found in image/, 'inheritFd', 'externalUnixConnections'],
  [/Found slave peer index|No task found with sid/, 'shellJob', 'orphanPtsMaster'],
  [/Don't have tty to inherit session from/, 'orphanPtsMaster'],
  [/Connected TCP socket in image/, 'tcpEstablished', 'tcpClose'],
  [/is autodetected external mount/, 'autoExtMnt'],
  [/doesn't have a proper root mount/, 'autoExtMnt', 'external'],
  // CRIU takes the master of the root from the option root, and others from outside.
  [/^mnt-v2: Sharing group .* has unreachable sharing/, 'root', 'extMasters'],
  [/has unreachable sharing/, 'extMasters'],
  [/No mapping for \d+:\S+ mountpoint/, 'external'],
  [/--skip-in-flight/, 'tcpSkipInFlight'],
  [/Use link-remap option/, 'linkRemap'],
  [/Can't dump ghost file/, 'ghostLimit'],
  [/has bad mode 0/, 'skipFileRwxCheck'],
  // CRIU crashes while it restores a mount namespace without a root.
  [/^mnt: BUG at criu\/mount\.c/, 'root'],
];

/** Appends this library's name of the option that CRIU's message is about. */
function withOption(text: string): string {
  if (/connect to lazy-pages\.socket failed/.test(text)) {
    return `${text}; no lazy-pages daemon runs in this directory: use lazyRestore, which starts one`;
  }
  const field = /--([a-z][a-z-]+)/.exec(text)?.[1]?.replaceAll('-', '_') ?? '';
  const [, ...hinted] = hints.find(([pattern]) => pattern.test(text)) ?? [undefined];
  const named = field in table ? table[field as keyof typeof table].option : null;
  const options = hinted.length === 0 && named ? [named] : hinted;
  return options.length > 0 ? `${text} [option ${options.join(' or ')}]` : text;
}
