import { constants } from 'node:os';
import { CriuError, type ExitStatus, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { type ExitWatch, watchExit } from './exit.ts';

/** A process that this library started or restored. A pidfd identifies it while it lives. */
export class ProcessHandle {
  /** Its pid in the pid namespace of this process. */
  readonly pid: number;
  readonly #pidfd: number | undefined;
  readonly #watch: ExitWatch | undefined;

  /**
   * @param pidfd undefined if the process is gone already
   * @internal
   */
  constructor(pid: number, pidfd: number | undefined) {
    this.pid = pid;
    this.#pidfd = pidfd;
    this.#watch = pidfd === undefined ? undefined : watchExit(pidfd);
  }

  /**
   * Resolves when the process has ended; never rejects. For a child of this process it has the exit
   * code or the signal; for any other process both are null, because only its parent can know them.
   * Awaiting it keeps Node running; a process that nobody awaits does not.
   */
  get exited(): Promise<ExitStatus> {
    this.#watch?.ref();
    return this.ended;
  }

  /**
   * The same, without keeping Node running.
   * @internal
   */
  get ended(): Promise<ExitStatus> {
    return this.#watch?.exited ?? Promise.resolve({ code: null, signal: null });
  }

  /**
   * Sends a signal to exactly this process, even if its pid has been reused.
   * @param signal a name or number; 0 only tests whether the process exists
   * @returns true if the process existed
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no such signal,
   * ERR_CRIU_NO_PERMISSION if this process may not send it
   */
  kill(signal: NodeJS.Signals | number = 'SIGTERM'): boolean {
    const number = typeof signal === 'number' ? signal : constants.signals[signal];
    if (!Number.isInteger(number) || number < 0 || number > 64) {
      throw invalid('kill', 'signal', 'a signal name or number', signal);
    }
    if (this.#pidfd === undefined || this.#watch?.status) return false;
    try {
      native().pidfdSendSignal(this.#pidfd, number);
      return true;
    } catch (error) {
      const { code, errno, message } = error as NodeJS.ErrnoException;
      if (code === 'ESRCH') return false;
      throw new CriuError(
        code === 'EPERM' ? 'ERR_CRIU_NO_PERMISSION' : 'ERR_CRIU_SYSTEM',
        `kill: cannot send ${signal} to process ${this.pid}: ${message}`,
        { operation: 'kill', errno, pid: this.pid, cause: error },
      );
    }
  }
}
