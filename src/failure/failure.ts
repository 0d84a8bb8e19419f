import type { Cancellation } from '../concurrency/cancellation.ts';
import {
  asCriuError,
  CriuError,
  type CriuErrorCode,
  type CriuErrorDetails,
  type WorkloadState,
} from '../errors.ts';
import type { CriuResponse } from '../protocol/messages.ts';
import type { ExchangeResult, Refusal } from '../protocol/session.ts';
import { type AbortReason, causeOf, type Evidence, endOf, isRestore } from './cause.ts';

/**
 * True if an operation that CRIU replied to has succeeded. At the last steps of a restore CRIU ignores a
 * refusal: a cancellation comes too late then, and only hooks that throw count as failures.
 */
export function hasSucceeded(
  { reply, refusal }: ExchangeResult,
  cancellation: Cancellation | undefined,
): boolean {
  return reply.success && (!refusal || refusal.cause === cancellation?.reason);
}

/** The error of an operation that CRIU replied to, and that has not succeeded. */
export function failureOf({ reply, refusal }: ExchangeResult, evidence: Evidence): CriuError {
  if (evidence.abortReason) return aborted(evidence.abortReason, reply, evidence);
  return refusal ? refused(refusal, reply, evidence) : failed(reply, evidence);
}

/**
 * The error of an operation whose exchange ended without a reply: {@link Session} failed, or an
 * observer threw.
 */
export function brokenOff(error: Error, evidence: Evidence): CriuError {
  const reason = evidence.cancellation?.reason;
  if (evidence.abortReason) return aborted(evidence.abortReason, undefined, evidence);
  if (!(error instanceof CriuError)) {
    const { errno } = asCriuError(evidence.operation, error);
    const details = { cause: error, errno };
    return compose('ERR_CRIU_SYSTEM', error.message, details, undefined, evidence);
  }
  if (error.code === 'ERR_CRIU_EOF' && reason) {
    return cancelled(reason, howItEnded(evidence), undefined, evidence);
  }
  const cause = error.code === 'ERR_CRIU_EOF' ? endOf(evidence) : error.message;
  return compose(
    error.code,
    cause,
    { cause: error.cause, errno: error.errno, option: error.option },
    undefined,
    evidence,
  );
}

function aborted(
  { code, text, cause }: AbortReason,
  reply: CriuResponse | undefined,
  evidence: Evidence,
): CriuError {
  const reason = evidence.cancellation?.reason;
  // A stream is closed when its operation is cancelled, and CRIU fails by that.
  if (reason?.code === code && reason.message === text) {
    return cancelled(reason, reply ? 'refused' : howItEnded(evidence), reply, evidence);
  }
  return compose(code, text, { cause }, reply, evidence);
}

function refused(refusal: Refusal, reply: CriuResponse, evidence: Evidence): CriuError {
  const reason = evidence.cancellation?.reason;
  if (reason && refusal.cause === reason) return cancelled(reason, 'refused', reply, evidence);
  const thrown = refusal.cause instanceof Error ? refusal.cause.message : String(refusal.cause);
  const late = reply.success ? '; it was too late to roll back' : '';
  const text = `the hook of ${refusal.script} threw: ${thrown}${late}`;
  return compose('ERR_CRIU_HOOK', text, { cause: refusal.cause }, reply, evidence);
}

function cancelled(
  reason: CriuError,
  how: CriuError['cancelled'],
  reply: CriuResponse | undefined,
  evidence: Evidence,
): CriuError {
  const what = reason.code === 'ERR_CRIU_TIMEOUT' ? 'the deadline passed' : 'it was aborted';
  const ends = {
    refused: 'CRIU rolled back',
    killed: `criu had to be killed after ${evidence.cancellation?.graceMs} ms`,
    disconnected: `the connection to the criu service was closed after ${evidence.cancellation?.graceMs} ms`,
  };
  const text = `${what}, and ${how ? ends[how] : endOf(evidence)}`;
  return compose(reason.code, text, { cause: reason.cause, cancelled: how }, reply, evidence);
}

function howItEnded({ remains }: Evidence): CriuError['cancelled'] {
  if (remains.disconnected) return 'disconnected';
  return remains.exit?.signal === 'SIGKILL' ? 'killed' : undefined;
}

function failed(reply: CriuResponse, evidence: Evidence): CriuError {
  const { code, text } = causeOf(reply, evidence);
  return compose(code, text, {}, reply, evidence);
}

function compose(
  code: CriuErrorCode,
  text: string,
  details: Pick<CriuErrorDetails, 'cause' | 'errno' | 'option' | 'cancelled'>,
  reply: CriuResponse | undefined,
  evidence: Evidence,
): CriuError {
  const { operation, label, remains, log, workload, pid, leftovers } = evidence;
  const known = code === 'ERR_CRIU_NO_SUCH_PROCESS' ? undefined : workload;
  const state = known && (isRestore(evidence) ? restoredText : dumpedText)[known];
  const rest = leftovers?.length ? `what is left: ${leftovers.join('; ')}` : undefined;
  const notes = [state, rest].filter(Boolean).join('; ');
  return new CriuError(code, `${label}: ${text}${notes ? ` (${notes})` : ''}`, {
    operation,
    errno: reply?.cr_errno,
    criuMessage: reply?.cr_errmsg?.trim(),
    log,
    stderr: remains.stderr,
    exit: remains.exit,
    workload,
    pid,
    leftovers,
    ...details,
  });
}

/** A message of {@link compose} without the state of the dumped processes, which its caller adds. */
export function withoutState(message: string): string {
  const states = Object.values(dumpedText).join('|');
  const note = new RegExp(` \\((?:${states})(?:; (.+))?\\)$`);
  return message.replace(note, (_, rest?: string) => (rest === undefined ? '' : ` (${rest})`));
}

const dumpedText: Record<WorkloadState, string> = {
  running: 'the processes run on',
  stopped: 'the processes are stopped',
  gone: 'the processes are gone',
  unknown: 'the state of the processes is unknown',
};

const restoredText: Record<WorkloadState, string> = {
  ...dumpedText,
  running: 'the restored processes run',
  gone: 'nothing was restored',
};
