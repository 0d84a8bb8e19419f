import { endStrays } from '../process/unfinished.ts';
import type { Cancellation } from '../rpc/cancellation.ts';
import type { Notified } from '../rpc/hooks.ts';
import type { CriuRequest, CriuResponse } from '../rpc/messages.ts';
import type { Exchanged, Observed } from '../rpc/session.ts';
import type { Binary } from './binary.ts';
import type { Evidence } from './cause.ts';
import { Conversation } from './conversation.ts';
import { brokenOff, failureOf } from './failure.ts';
import type { WorkerOptions } from './worker.ts';

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

/** One request, to a criu of its own or as part of a conversation. */
export interface Call extends Omit<WorkerOptions, 'path'> {
  readonly operation: string;
  /** The operation and its object, as `dump of process 12`. */
  readonly label: string;
  readonly binary: Binary;
  readonly request: CriuRequest;
  /** The criu to ask; without it one is started. */
  readonly conversation?: Conversation | undefined;
  readonly notified?: Notified;
  readonly observed?: Observed | undefined;
  readonly cancellation?: Cancellation;
  /** criu is killed once this resolves, if it ever does: it was told to end, and has not. */
  readonly overdue?: Promise<void> | undefined;
  /** What else an error should tell, asked once criu has ended. */
  readonly circumstances?: (
    ending: Ending,
  ) => Promise<
    Pick<
      Evidence,
      'log' | 'unsaid' | 'workload' | 'pid' | 'hold' | 'refused' | 'ordered' | 'leftovers'
    >
  >;
  /** criu becomes another program when it is done: do not wait for its end. */
  readonly goesOn?: boolean;
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
  const conversation = given.conversation ?? (await Conversation.open({ ...given, repeatable }));
  const { worker, session } = conversation;
  given.overdue?.then(() => worker.kill());
  let outcome: Exchanged | Error;
  // What can be asked again of the same criu leaves it waiting for the next.
  const again = repeatable && conversation.isLent;
  try {
    outcome = await session.exchange(again ? { ...request, keep_open: true } : request, given);
  } catch (error) {
    outcome = error as Error;
  }
  if (again && 'reply' in outcome && outcome.reply.success) {
    conversation.giveBack();
    return outcome.reply;
  }
  if (given.goesOn && 'reply' in outcome && outcome.reply.success) {
    worker.close();
    return outcome.reply;
  }
  // CRIU goes on after a pre-dump, until the dump or until it is hung up on.
  if (request.type === 'PRE_DUMP' && 'reply' in outcome && outcome.reply.success) {
    return outcome.reply;
  }
  if (again) conversation.useUp();
  conversation.over = true;
  const remains = await worker.end();
  const ending = {
    replied: 'reply' in outcome,
    killed: worker.killed,
    stderr: remains.stderr,
    session: given.inSession ? undefined : worker.pid,
  };
  if (!ending.replied && ending.session !== undefined) await endStrays(ending.session);
  const circumstances = await given.circumstances?.(ending);
  const evidence = { operation, label, cancellation, remains, ...circumstances };
  const error =
    outcome instanceof Error ? brokenOff(outcome, evidence) : failureOf(outcome, evidence);
  if (error) throw error;
  return (outcome as Exchanged).reply;
}
