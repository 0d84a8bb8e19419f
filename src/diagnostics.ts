import { channel, tracingChannel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { asCriuError, type CriuError, type ExitStatus } from './errors.ts';

/**
 * The message of the tracing channel `node-criu:operation`: `start` and `end` are published around
 * the call of a method, `asyncStart` and `asyncEnd` when its promise settles, `error` before these
 * if the method fails.
 */
export interface OperationTrace {
  /** The name of the method, for example `dump`. */
  readonly operation: string;
  /** The pid of the root process, if the method has one. */
  readonly pid?: number;
  /** The number of the round, in an iteration. */
  readonly round?: number;
  /** The error that the operation failed with. */
  readonly error?: CriuError;
}

/**
 * The message of the tracing channel `node-criu:notification`: `start` is published when CRIU
 * notifies this library of a step, `asyncEnd` once the hooks have settled, `error` before that if a
 * hook throws.
 */
export interface NotificationTrace {
  /** CRIU's name of the step, for example `post-dump`. */
  readonly script: string;
  /** The pid of the root process; set for `setup-namespaces` and `post-restore`. */
  readonly pid?: number;
  /** The value that a hook threw. */
  readonly error?: unknown;
}

/** The message of the channels `node-criu:worker.start` and `node-criu:worker.exit`. */
export interface WorkerTrace {
  /** The pid of criu. */
  readonly pid: number;
  /** Absolute path of the binary. */
  readonly path: string;
  /** The arguments of criu, without the program name. */
  readonly args: readonly string[];
  /** How criu ended; set only for `node-criu:worker.exit`. */
  readonly exit?: ExitStatus;
}

const operations = tracingChannel<unknown, OperationTrace>('node-criu:operation');
const notifications = tracingChannel<unknown, NotificationTrace>('node-criu:notification');
const starts = channel('node-criu:worker.start');
const exits = channel('node-criu:worker.exit');

/** Runs an operation and publishes it if there are subscribers. Every error becomes a CriuError. */
export async function traceOperation<T>(trace: OperationTrace, work: () => Promise<T>): Promise<T> {
  const sure = () =>
    work().catch((error: unknown) => {
      throw asCriuError(trace.operation, error);
    });
  return operations.hasSubscribers
    ? await operations.tracePromise(sure, { ...trace })
    : await sure();
}

/** True if there are subscribers to notifications. */
export function isNotificationTraced(): boolean {
  return notifications.hasSubscribers;
}

/** Runs the hooks of a notification and publishes it. */
export async function traceNotification<T>(
  trace: NotificationTrace,
  work: () => Promise<T>,
): Promise<T> {
  return await notifications.tracePromise(work, { ...trace });
}

/** Publishes the start of a criu process and later its exit, if there are subscribers. */
export function traceWorker(trace: WorkerTrace, exited: Promise<ExitStatus>): void {
  if (starts.hasSubscribers) starts.publish(trace);
  exited.then((exit) => {
    if (exits.hasSubscribers) exits.publish({ ...trace, exit });
  });
}

/** NODE_DEBUG=criu adds a subscriber that logs to standard error. */
const debug = debuglog('criu');
if (debug.enabled) {
  const since = new WeakMap<object, number>();
  const describe = ({ operation, pid, round }: OperationTrace) =>
    [operation, pid, round === undefined ? undefined : `round ${round}`]
      .filter((part) => part !== undefined)
      .join(' ');
  const took = (trace: object) => `${(performance.now() - (since.get(trace) ?? 0)).toFixed(1)} ms`;
  operations.subscribe({
    start(trace) {
      since.set(trace, performance.now());
      debug('%s', describe(trace));
    },
    end() {},
    asyncStart() {},
    asyncEnd(trace) {
      debug('%s: %s', describe(trace), trace.error ? 'failed' : `done in ${took(trace)}`);
    },
    error(trace) {
      debug('%s: %s', describe(trace), String(trace.error));
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
