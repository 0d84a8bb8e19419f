import { killSessionOrphans } from '../cleanup/half-restored.ts';
import type { Cancellation } from '../concurrency/cancellation.ts';
import type { Evidence } from '../failure/cause.ts';
import { brokenOff, failureOf } from '../failure/failure.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import type { Exchanged, Notified, Observed } from '../protocol/session.ts';
import type { Binary } from '../worker/binary.ts';
import type { WorkerOptions } from '../worker/worker.ts';
import { WorkerSession } from '../worker/worker-session.ts';

/** How a request ended. */
export interface Ending {
  /** CRIU has replied to it. */
  readonly replied: boolean;
  /** criu had to be killed, by this library. */
  readonly killed: boolean;
  /** What it wrote to its standard error. */
  readonly stderr: string;
  /** Its session, if that was its own. */
  readonly session?: number | undefined;
}

/** One request, to a criu of its own or as part of a session of several. */
export interface Call extends Omit<WorkerOptions, 'path'> {
  readonly operation: string;
  /** The operation and its object, as `dump of process 12`. */
  readonly label: string;
  readonly binary: Binary;
  readonly request: CriuRequest;
  /** The criu to ask; without it one is started. */
  readonly workerSession?: WorkerSession | undefined;
  readonly notified?: Notified;
  readonly observed?: Observed | undefined;
  readonly cancellation?: Cancellation;
  /** criu is killed once this resolves, if it ever does: it was told to end, and has not. */
  readonly forceKill?: Promise<void> | undefined;
  /** What else an error should tell, asked once criu has ended. */
  readonly collectEvidence?: (
    ending: Ending,
  ) => Promise<
    Pick<
      Evidence,
      'log' | 'hint' | 'workload' | 'pid' | 'tracer' | 'refused' | 'abortReason' | 'leftovers'
    >
  >;
  /** criu becomes another program when it is done: do not wait for its end. */
  readonly detachOnSuccess?: boolean;
}

/** Requests that leave no trace in a criu. */
const REPEATABLE: ReadonlySet<string> = new Set(['VERSION', 'FEATURE_CHECK']);

/**
 * Makes the request and waits for the end of criu, unless that waits for the next request.
 * @throws CriuError with all that is known
 */
export async function call(given: Call): Promise<CriuResponse> {
  const { operation, label, request, cancellation } = given;
  const repeatable = REPEATABLE.has(request.type ?? '');
  const workerSession = given.workerSession ?? (await WorkerSession.open({ ...given, repeatable }));
  const { worker, session } = workerSession;
  given.forceKill?.then(() => worker.kill());
  let outcome: Exchanged | Error;
  // What can be asked again of the same criu leaves it waiting for the next.
  const again = repeatable && workerSession.isLent;
  try {
    outcome = await session.exchange(again ? { ...request, keep_open: true } : request, given);
  } catch (error) {
    outcome = error as Error;
  }
  if (again && 'reply' in outcome && outcome.reply.success) {
    workerSession.giveBack();
    return outcome.reply;
  }
  if (given.detachOnSuccess && 'reply' in outcome && outcome.reply.success) {
    worker.close();
    return outcome.reply;
  }
  // CRIU goes on after a pre-dump, until the dump or until it is hung up on.
  if (request.type === 'PRE_DUMP' && 'reply' in outcome && outcome.reply.success) {
    return outcome.reply;
  }
  if (again) workerSession.useUp();
  workerSession.over = true;
  const remains = await worker.end();
  const ending = {
    replied: 'reply' in outcome,
    killed: worker.killed,
    stderr: remains.stderr,
    session: given.inSession ? undefined : worker.pid,
  };
  if (!ending.replied && ending.session !== undefined) await killSessionOrphans(ending.session);
  const collectEvidence = await given.collectEvidence?.(ending);
  const evidence = { operation, label, cancellation, remains, ...collectEvidence };
  const error =
    outcome instanceof Error ? brokenOff(outcome, evidence) : failureOf(outcome, evidence);
  if (error) throw error;
  return (outcome as Exchanged).reply;
}
