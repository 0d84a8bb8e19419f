import { closeSync, constants, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { traceWorker } from '../diagnostics.ts';
import { native } from '../native/index.ts';
import { type ExitWatch, watchExit } from '../process/exit.ts';
import { SIGKILL } from '../process/terminate.ts';
import { statusOf } from '../procfs/status.ts';
import type { Remains } from './connection.ts';
import type { Enclosure } from './enclosure.ts';
import { environmentEntries } from './environment.ts';
import { Stderr } from './stderr.ts';

/** The pids of the criu processes that this process has started and not reaped. */
const running = new Set<number>();

/** Those of them that fork a worker for each connection. */
const zygotes = new Set<number>();

/** True for a criu that this process has started: the kernel gives its pid to no other until it is reaped. */
export function isOwnCriu(pid: number): boolean {
  return running.has(pid) || (zygotes.size > 0 && zygotes.has(statusOf(pid)?.parent ?? 0));
}

/** A criu process started by this process, with its exit status and standard error. */
export class CriuChild {
  readonly pid: number;
  readonly exit: ExitWatch;
  readonly #pidfd: number;
  readonly #stderr: Stderr;

  /** Starts criu; rejects with the error of the system call that failed. */
  static async start({
    path,
    args,
    inherited,
    inSession = false,
    enclosure,
    onStderr,
  }: {
    /** Absolute path of the binary. */
    readonly path: string;
    readonly args: readonly string[];
    /** Descriptors that criu inherits: `[number in criu, number here]`. */
    readonly inherited: readonly (readonly [number, number])[];
    /** Stay in the session and on the terminal of this process. */
    readonly inSession?: boolean;
    /** Namespaces and mounts of its own. */
    readonly enclosure?: Enclosure | undefined;
    /** For a criu that forks workers: called after output has arrived. */
    readonly onStderr?: () => void;
  }): Promise<CriuChild> {
    const nothing = openSync('/dev/null', 'r+');
    const stdin = inSession ? blockingStdin() : nothing;
    try {
      const [stderr, stderrEnd] = native().pipe();
      try {
        const { launcher, steps, cloneFlags } = enclosure ?? {};
        const command = [path, ...args];
        const child = await native().spawn({
          file: launcher ?? path,
          args: launcher ? [launcher, ...(steps ?? []), '--', path, ...command] : command,
          env: environmentEntries(),
          descriptors: [[0, stdin], [1, nothing], [2, stderrEnd], ...inherited],
          // In its own session, so that Ctrl-C in a terminal does not kill criu during a dump.
          newSession: !inSession,
          // CRIU creates images, which hold process memory, with mode 0644 minus this mask.
          umask: 0o077,
          ...(cloneFlags !== undefined && { cloneFlags }),
        });
        const started = new CriuChild(child, stderr, onStderr);
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
      if (stdin !== 0 && stdin !== nothing) closeSync(stdin);
    }
  }

  private constructor(
    child: { pid: number; pidfd: number },
    stderr: number,
    onStderr: (() => void) | undefined,
  ) {
    this.pid = child.pid;
    this.#pidfd = child.pidfd;
    this.#stderr = new Stderr(stderr, onStderr);
    this.exit = watchExit(child.pidfd);
    running.add(child.pid);
    if (onStderr) zygotes.add(child.pid);
    this.exit.exited.then(() => {
      running.delete(child.pid);
      zygotes.delete(child.pid);
      this.#stderr.close();
    });
  }

  /** What is known about criu so far. */
  get remains(): Remains {
    return { exit: this.exit.status, stderr: this.#stderr.text };
  }

  /** Forgets what criu has written to its standard error so far. */
  clearStderr(): void {
    this.#stderr.clear();
  }

  /** Sends a signal, unless criu has ended. */
  signal(number: number): void {
    if (!this.exit.status) native().pidfdSendSignal(this.#pidfd, number);
  }

  /** Kills criu, and resolves when it has ended. */
  async kill(): Promise<void> {
    this.signal(SIGKILL);
    this.exit.ref();
    await this.exit.exited;
  }

  /** Duplicates one of criu's descriptors into this process. */
  copyOf(fd: number): number {
    return native().pidfdGetfd(this.#pidfd, fd);
  }
}

/**
 * The terminal of this process for a restored program. Once Node uses it as `process.stdin` it does not
 * block, which programs do not expect; opened again, it does.
 */
function blockingStdin(): number {
  return isatty(0) ? openSync('/proc/self/fd/0', constants.O_RDWR | constants.O_NOCTTY) : 0;
}
