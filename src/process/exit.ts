import { constants } from 'node:os';
import { within } from '../concurrency/deadline.ts';
import { deferred } from '../concurrency/deferred.ts';
import type { ExitStatus } from '../errors.ts';
import { native, type WaitStatus } from '../native/index.ts';

/** Signals by number. If a number has two names, as SIGABRT and SIGIOT, the first in Node's list counts. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** The name of a signal; null if Node has none for it. */
export function signalName(number: number): NodeJS.Signals | null {
  return signalNames.get(number) ?? null;
}

/** A process whose exit is awaited; it owns the pidfd. */
export interface ExitWatch {
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** How the process ended; undefined while it runs, during which the pidfd is open. */
  readonly status: ExitStatus | undefined;
  /** Called when the process has ended and is not reaped yet: its pid is not reused. Must not throw. */
  beforeReap: (() => void) | undefined;
  /** Lets the watch keep Node running; at first it does not. */
  ref(): void;
  unref(): void;
}

/** Waits for the exit of a process, and reaps it if it is a child of this process. */
export function watchExit(pidfd: number): ExitWatch {
  let ended: ExitStatus | undefined;
  const exited = deferred<ExitStatus>();
  const watch = native().watch(pidfd, () => {
    exitWatch.beforeReap?.();
    const status = native().wait(pidfd);
    if (status === null) return;
    watch.close();
    native().close(pidfd);
    ended = named(status);
    exited.resolve(ended);
  });
  watch.unref();
  const exitWatch: ExitWatch = {
    exited: exited.promise,
    get status() {
      return ended;
    },
    beforeReap: undefined,
    ref: () => watch.ref(),
    unref: () => watch.unref(),
  };
  return exitWatch;
}

/** Waits for the exit of a process for a limited time, during which Node keeps running. */
export async function exitWithin(ms: number, watch: ExitWatch): Promise<void> {
  if (watch.status) return;
  watch.ref();
  await within(ms, watch.exited);
  watch.unref();
}

/** Decodes a status as waitpid(2) returns it. */
export function exitStatus(status: number | undefined): ExitStatus {
  if (status === undefined) return { code: null, signal: null };
  const signal = status & 0x7f;
  return signal === 0
    ? named({ code: (status >> 8) & 0xff, signal: null })
    : named({ code: null, signal });
}

function named(status: WaitStatus | undefined): ExitStatus {
  if (!status) return { code: null, signal: null };
  const { code, signal } = status;
  return { code, signal: signal === null ? null : signalName(signal) };
}

/** Opens a pidfd; undefined if there is no such process. */
export function openPidfd(pid: number): number | undefined {
  try {
    return native().pidfdOpen(pid);
  } catch (error) {
    // A process that is being reaped has a pid and no thread: EINVAL, since Linux 6.15 ENOENT.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ESRCH', 'EINVAL', 'ENOENT'].includes(code)) return undefined;
    throw error;
  }
}
