import { channel, tracingChannel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { asCriuError, type CriuError, type ExitStatus } from './errors.ts';

/**
 * What the tracing channel `node-criu:operation` tells: `start` and `end` around the call of a
 * method, `asyncStart` and `asyncEnd` when it is done, `error` before these if it fails.
 */
export interface OperationTrace {
  /** The method, as `dump`. */
  readonly operation: string;
  /** The root process, where the method has one. */
  readonly pid?: number;
  /** Which round of an iteration it is. */
  readonly round?: number;
  /** What it failed with. */
  readonly error?: CriuError;
}

/**
 * What the tracing channel `node-criu:notification` tells: `start` when CRIU asks, `asyncEnd` once the
 * hooks are done, `error` before that if one of them throws.
 */
export interface NotificationTrace {
  /** CRIU's name of the step, as `post-dump`. */
  readonly script: string;
  /** The root process, with `setup-namespaces` and `post-restore`. */
  readonly pid?: number;
  /** What a hook threw. */
  readonly error?: unknown;
}

/** What the channels `node-criu:worker.start` and `node-criu:worker.exit` tell of a criu process. */
export interface WorkerTrace {
  /** Its pid. */
  readonly pid: number;
  /** The binary. */
  readonly path: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** How it ended; only with `node-criu:worker.exit`. */
  readonly exit?: ExitStatus;
}

const operations = tracingChannel<unknown, OperationTrace>('node-criu:operation');
const notifications = tracingChannel<unknown, NotificationTrace>('node-criu:notification');
const starts = channel('node-criu:worker.start');
const exits = channel('node-criu:worker.exit');

/** Does an operation, and tells of it if anybody listens. Whatever it fails with is a CriuError. */
export async function traceOperation<T>(trace: OperationTrace, work: () => Promise<T>): Promise<T> {
  const sure = () =>
    work().catch((error: unknown) => {
      throw asCriuError(trace.operation, error);
    });
  return operations.hasSubscribers
    ? await operations.tracePromise(sure, { ...trace })
    : await sure();
}

/** Answers a notification, and tells of it if anybody listens. */
export async function traceNotification<T>(
  trace: NotificationTrace,
  work: () => Promise<T>,
): Promise<T> {
  return notifications.hasSubscribers
    ? await notifications.tracePromise(work, { ...trace })
    : await work();
}

/** Tells of a criu that has been started, and later of its end, if anybody listens. */
export function traceWorker(trace: WorkerTrace, exited: Promise<ExitStatus>): void {
  if (starts.hasSubscribers) starts.publish(trace);
  exited.then((exit) => {
    if (exits.hasSubscribers) exits.publish({ ...trace, exit });
  });
}

/** NODE_DEBUG=criu is one more that listens. */
const debug = debuglog('criu');
if (debug.enabled) {
  const since = new WeakMap<object, number>();
  const whatOf = ({ operation, pid, round }: OperationTrace) =>
    [operation, pid, round === undefined ? undefined : `round ${round}`]
      .filter((part) => part !== undefined)
      .join(' ');
  const took = (trace: object) => `${(performance.now() - (since.get(trace) ?? 0)).toFixed(1)} ms`;
  operations.subscribe({
    start(trace) {
      since.set(trace, performance.now());
      debug('%s', whatOf(trace));
    },
    end() {},
    asyncStart() {},
    asyncEnd(trace) {
      debug('%s: %s', whatOf(trace), trace.error ? 'failed' : `done in ${took(trace)}`);
    },
    error(trace) {
      debug('%s: %s', whatOf(trace), String(trace.error));
    },
  });
  notifications.subscribe({
    start(trace) {
      since.set(trace, performance.now());
    },
    end() {},
    asyncStart() {},
    asyncEnd(trace) {
      debug('  %s, %s', trace.script, took(trace));
    },
    error(trace) {
      debug('  %s: %s', trace.script, String(trace.error));
    },
  });
  starts.subscribe((trace) => {
    const { pid, args } = trace as WorkerTrace;
    debug('  criu %s is process %d', args.join(' '), pid);
  });
  exits.subscribe((trace) => {
    const { pid, exit } = trace as WorkerTrace;
    debug('  process %d has ended: %s', pid, exit?.signal ?? exit?.code);
  });
}
