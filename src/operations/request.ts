import { killSessionOrphans } from '../cleanup/half-restored.ts';
import type { Cancellation } from '../concurrency/cancellation.ts';
import type { Evidence, Findings } from '../failure/cause.ts';
import { brokenOff, failureOf, hasSucceeded } from '../failure/failure.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import type {
  ExchangeResult,
  NotificationHandler,
  NotificationObserver,
} from '../protocol/session.ts';
import type { Endpoint } from '../worker/endpoint.ts';
import type { WorkerOptions } from '../worker/worker.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import { describeCriu } from './known-versions.ts';

/** How a request ended. */
export interface Ending {
  /** True if CRIU replied to the request. */
  readonly replied: boolean;
  /** True if this library killed criu. */
  readonly killed: boolean;
  /** What criu wrote to its standard error; empty for a criu service. */
  readonly stderr: string;
  /** The id of criu's session (setsid), if criu had one of its own. */
  readonly session?: number | undefined;
  /** The file that criu executed, as programOf() names it; undefined for a criu service. */
  readonly program?: string | undefined;
}

/** One request, to a criu of its own or within a session of several requests. */
export interface Call extends Omit<WorkerOptions, 'path'> {
  readonly operation: string;
  /** The operation and its object, for example `dump of process 12`. */
  readonly label: string;
  readonly endpoint: Endpoint;
  readonly request: CriuRequest;
  /** The criu to ask; by default one is started. */
  readonly workerSession?: WorkerSession | undefined;
  readonly onNotification?: NotificationHandler;
  readonly observer?: NotificationObserver | undefined;
  readonly cancellation?: Cancellation;
  /** criu is killed when this resolves. */
  readonly forceKill?: Promise<void> | undefined;
  /** Collects what else an error reports; called when criu has ended, if the request has failed. */
  readonly collectEvidence?: (ending: Ending) => Promise<Findings & Pick<Evidence, 'log' | 'hint'>>;
  /** Called while criu exits, if the request has succeeded. */
  readonly whileExiting?: (reply: CriuResponse) => void;
  /** Called when criu has ended, if the request has succeeded. */
  readonly onSuccess?: (ending: Ending) => Promise<unknown>;
  /** True if criu executes another program after the operation: its end is not awaited. */
  readonly detachOnSuccess?: boolean;
}

/** Requests that do not change the state of criu, which can then answer another request. */
const REPEATABLE: ReadonlySet<string> = new Set(['VERSION', 'FEATURE_CHECK']);

/**
 * Sends the request and waits for the end of criu, unless criu waits for another request.
 * @throws CriuError with everything that is known about the failure
 */
export async function call(given: Call): Promise<CriuResponse> {
  const { operation, label, request, cancellation } = given;
  const repeatable = REPEATABLE.has(request.type ?? '');
  const workerSession =
    given.workerSession ?? (await WorkerSession.open({ ...given, mayBePooled: true }));
  const { worker, session } = workerSession;
  given.forceKill?.then(() => worker.kill());
  const goesBack = repeatable && workerSession.isLent;
  const outcome: ExchangeResult | Error = await session
    .exchange(goesBack ? { ...request, keep_open: true } : request, given)
    .catch((error: Error) => error);
  const succeeded = 'reply' in outcome && outcome.reply.success;
  if (succeeded && goesBack) {
    workerSession.giveBack();
    return outcome.reply;
  }
  if (succeeded && given.detachOnSuccess) {
    worker.close();
    return outcome.reply;
  }
  // After a pre-dump CRIU waits for the next round or the dump, or until the connection is closed.
  if (succeeded && request.type === 'PRE_DUMP') return outcome.reply;
  workerSession.over = true;
  if ('reply' in outcome && hasSucceeded(outcome, cancellation)) {
    given.whileExiting?.(outcome.reply);
  }
  const remains = await worker.end();
  const ending = {
    replied: 'reply' in outcome,
    killed: worker.killed,
    stderr: remains.stderr ?? '',
    session: given.inSession ? undefined : worker.pid,
    program: worker.program,
  };
  if ('reply' in outcome && hasSucceeded(outcome, cancellation)) {
    await given.onSuccess?.(ending);
    return outcome.reply;
  }
  if (!ending.replied && ending.session !== undefined) {
    await killSessionOrphans(ending.session, ending.program);
  }
  const evidence = {
    operation,
    label,
    cancellation,
    remains,
    criu: describeCriu(given.endpoint),
    ...(await given.collectEvidence?.(ending)),
  };
  throw 'reply' in outcome ? failureOf(outcome, evidence) : brokenOff(outcome, evidence);
}
