import { constants } from 'node:os';
import type { ExitStatus } from '../errors.ts';
import { native, type WaitStatus } from '../native/index.ts';

/** Where a number has two names (SIGABRT and SIGIOT), the first one in Node's list counts. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** A process that is waited for; it owns the pidfd. */
export interface ExitWatch {
  /** Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** How it ended; undefined as long as it runs, and the pidfd is open. */
  readonly status: ExitStatus | undefined;
  /** Whether waiting keeps Node alive; at first it does not. */
  ref(): void;
  unref(): void;
}

/** Waits for the end of a process and, if it is a child of this one, reaps it. */
export function watchExit(pidfd: number): ExitWatch {
  let ended: ExitStatus | undefined;
  let settle: (status: ExitStatus) => void;
  const exited = new Promise<ExitStatus>((resolve) => {
    settle = resolve;
  });
  const watch = native().watch(pidfd, () => {
    const status = native().wait(pidfd);
    if (status === null) return;
    watch.close();
    native().close(pidfd);
    ended = named(status);
    settle(ended);
  });
  watch.unref();
  return {
    exited,
    get status() {
      return ended;
    },
    ref: () => watch.ref(),
    unref: () => watch.unref(),
  };
}

/** Reads a status as waitpid(2) has it. */
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
  return { code, signal: signal === null ? null : (signalNames.get(signal) ?? null) };
}

/** A pidfd, or undefined if there is no such process any more. */
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
