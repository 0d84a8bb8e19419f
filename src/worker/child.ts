import { closeSync, openSync } from 'node:fs';
import { traceWorker } from '../diagnostics.ts';
import { native } from '../native/index.ts';
import { type ExitWatch, watchExit } from '../process/exit.ts';
import type { Remains } from './connection.ts';
import { environment } from './environment.ts';
import { Stderr } from './stderr.ts';

/** A criu that this process has started: how it ends, and what it writes to its standard error. */
export class CriuChild {
  readonly pid: number;
  readonly exit: ExitWatch;
  readonly #pidfd: number;
  readonly #stderr: Stderr;

  /** Starts it; throws what the system call threw. */
  static start({
    path,
    args,
    inherited,
    inSession = false,
  }: {
    /** Absolute path of the binary. */
    readonly path: string;
    readonly args: readonly string[];
    /** Descriptors for it: `[number there, number here]`. */
    readonly inherited: readonly (readonly [number, number])[];
    /** Stay in the session and on the terminal of this process. */
    readonly inSession?: boolean;
  }): CriuChild {
    const nothing = openSync('/dev/null', 'r+');
    try {
      const [stderr, stderrEnd] = native().pipe();
      try {
        const child = native().spawn({
          file: path,
          args: [path, ...args],
          env: environment(),
          descriptors: [[0, inSession ? 0 : nothing], [1, nothing], [2, stderrEnd], ...inherited],
          // In a session of its own, so that Ctrl-C at a terminal does not kill criu at its work.
          newSession: !inSession,
          // CRIU creates images, the memory of processes, as 0644 within this mask.
          umask: 0o077,
        });
        const started = new CriuChild(child, stderr);
        traceWorker({ pid: started.pid, path, args }, started.exit.exited);
        return started;
      } catch (error) {
        native().close(stderr);
        throw error;
      } finally {
        native().close(stderrEnd);
      }
    } finally {
      closeSync(nothing);
    }
  }

  private constructor(child: { pid: number; pidfd: number }, stderr: number) {
    this.pid = child.pid;
    this.#pidfd = child.pidfd;
    this.#stderr = new Stderr(stderr);
    // It does not keep Node alive by itself.
    this.exit = watchExit(child.pidfd);
    this.exit.exited.then(() => this.#stderr.close());
  }

  /** What it has left so far. */
  get remains(): Remains {
    return { exit: this.exit.status, stderr: this.#stderr.text };
  }

  /** Sends a signal, if it is still there. */
  signal(number: number): void {
    if (!this.exit.status) native().pidfdSendSignal(this.#pidfd, number);
  }

  /** A copy of one of its descriptors. */
  copyOf(fd: number): number {
    return native().pidfdGetfd(this.#pidfd, fd);
  }
}
