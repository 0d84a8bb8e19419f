import { readSync } from 'node:fs';
import { awaitEnd, killSession } from '../cleanup/session.ts';
import { Cancellation } from '../concurrency/cancellation.ts';
import { within } from '../concurrency/deadline.ts';
import { deferred } from '../concurrency/deferred.ts';
import { CriuError, type CriuLog, type ExitStatus } from '../errors.ts';
import { type AbortReason, trueCause } from '../failure/cause.ts';
import type { LogFile } from '../failure/log.ts';
import { native } from '../native/index.ts';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import { TERMINATION_MS, terminate } from '../process/terminate.ts';
import type { CriuChild } from '../worker/child.ts';
import { UffdGuard } from './uffd-guard.ts';

const MAX_REASON_BYTES = 4096;

/** Options of {@link Criu.lazyPages}. `imagesDirectory` is required. */
export interface LazyPagesOptions
  extends Pick<CriuOpts, OptionOf<'lazyPages'>>,
    Omit<OperationOptions, 'gracePeriodMs'> {
  /** Allow fetching memory over a network without TLS, so that the sender is not authenticated. */
  insecure?: boolean;
}

/** Statistics of a lazy-pages daemon. */
export interface LazyPagesResult {
  /** How many pages the images leave to be delivered after the restore. */
  readonly pages: number;
  /** The same in bytes. */
  readonly bytes: number;
  /** Time from the start of the daemon to its end, in milliseconds. */
  readonly durationMs: number;
}

/** @internal What {@link startLazyPages} starts a daemon with. */
export interface LazyPagesParts {
  readonly child: CriuChild;
  /**
   * The pipe on which the daemon reports that it is ready, by a byte; closed by {@link LazyPages}. The daemon of this
   * package then reports why it cannot deliver every page.
   */
  readonly statusFd: number;
  readonly socketPath: string;
  /** The log of CRIU's daemon. */
  readonly log?: LogFile;
  readonly pages: number;
  /** When the start began, by performance.now(). */
  readonly start: number;
  /** The address and port from which the daemon fetches memory over a network. */
  readonly server?: string | undefined;
  readonly limits: OperationOptions;
  /** Called once the processes run. */
  readonly onRestored?: () => void;
}

/**
 * A lazy-pages daemon of CRIU. It gives the processes of one restore with `lazyPages` their memory,
 * from the images or from a lazy dump, when they touch it and in the background. The daemon outlives
 * this process.
 *
 * If the daemon ends before it has delivered every page, the kernel gives the processes zeros for the
 * missing ones. {@link Criu.lazyRestore} kills the processes before they can read them.
 */
export class LazyPages implements AsyncDisposable {
  /** The pid of the daemon. */
  readonly pid: number;
  /** The socket for the restore, which must have the same work directory. */
  readonly socketPath: string;
  /**
   * Resolves when the daemon accepts a restore; rejects as {@link LazyPages.done} does if it ends
   * before.
   */
  readonly ready: Promise<void>;
  /** Resolves when the daemon has ended: with code 0 if it has delivered every page. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Resolves when the daemon has delivered every page. Rejects with ERR_CRIU_LAZY_PAGES and the cause
   * from its log if it ends before; with ERR_CRIU_CLOSED, ERR_CRIU_ABORTED or ERR_CRIU_TIMEOUT if it
   * was ended.
   */
  readonly done: Promise<LazyPagesResult>;
  readonly #parts: LazyPagesParts;
  readonly #status: DaemonStatus;
  /** Why the daemon was ended, if it was. */
  #abortReason: AbortReason | undefined;

  /** @internal */
  constructor(parts: LazyPagesParts) {
    const { child, statusFd, socketPath } = parts;
    this.pid = child.pid;
    this.socketPath = socketPath;
    this.exited = child.exit.exited;
    this.#parts = parts;
    this.#status = watchStatus(statusFd);
    this.done = this.#untilDone();
    this.ready = Promise.race([this.#status.ready, this.done.then(() => {})]);
    // A caller need not handle the rejections.
    this.done.catch(() => {});
    this.ready.catch(() => {});
  }

  /** The log of the daemon so far. */
  async log(): Promise<CriuLog | undefined> {
    return await this.#parts.log?.read();
  }

  /** Ends the daemon if it has not ended by itself; resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    await this.end({ code: 'ERR_CRIU_CLOSED', text: 'the daemon was closed' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Ends the daemon; `done` rejects with the reason. */
  async end(reason: AbortReason): Promise<void> {
    const { child } = this.#parts;
    if (!child.exit.status) this.#abortReason ??= reason;
    await terminate((number) => child.signal(number), this.exited);
    await this.done.catch(() => {});
  }

  /** @internal Allows the daemon of this package to deliver pages for which no process waits. */
  deliverAll(): void {
    this.#parts.onRestored?.();
  }

  /** @internal Makes processes wait for their pages, instead of reading zeros, if the daemon dies. */
  async guardMemory(processes: number, onFork: () => number): Promise<UffdGuard> {
    return await UffdGuard.of(this.#parts.child, processes, onFork);
  }

  /** @internal The failure of a daemon that has failed by itself or is about to. */
  async failure(): Promise<CriuError | undefined> {
    const failed = this.done.then(
      () => undefined,
      (error: CriuError) => error,
    );
    const failure = await within(TERMINATION_MS, failed);
    return this.#abortReason ? undefined : failure;
  }

  async #untilDone(): Promise<LazyPagesResult> {
    const { child, pages, start, limits } = this.#parts;
    using cancellation = new Cancellation('lazyPages', limits);
    cancellation.requested.then(() => {
      const { code, message: text, cause } = cancellation.reason as CriuError;
      this.end({ code, text, cause });
    });
    const killed: number[] = [];
    // While criu starts, it tests the kernel with child processes, which do not end if criu is killed.
    child.exit.beforeReap = () => {
      killed.push(...killSession(this.pid));
    };
    child.exit.ref();
    const end = await Promise.race([this.exited, this.#status.failed]);
    if (typeof end === 'string') {
      throw new CriuError('ERR_CRIU_LAZY_PAGES', `lazyPages: ${end}`, {
        operation: 'lazyPages',
      });
    }
    if (end.code !== 0) {
      await awaitEnd(killed);
      throw await this.#failureOf(end);
    }
    const bytes = pages * native().pageSize;
    return { pages, bytes, durationMs: performance.now() - start };
  }

  async #failureOf(exit: ExitStatus): Promise<CriuError> {
    const { child, server } = this.#parts;
    const log = await this.log();
    const { remains } = child;
    const how = exit.signal ? `was killed by ${exit.signal}` : `exited with ${exit.code}`;
    // CRIU does not log a failed connection as an error.
    const hint = !exit.signal && server && `is there no lazy source at ${server}?`;
    const cause = trueCause({ log, remains }) ?? hint;
    const text = this.#abortReason?.text ?? `the daemon ${how}${cause ? `: ${cause}` : ''}`;
    return new CriuError(this.#abortReason?.code ?? 'ERR_CRIU_LAZY_PAGES', `lazyPages: ${text}`, {
      operation: 'lazyPages',
      log,
      stderr: remains.stderr,
      exit,
      ...(this.#abortReason?.cause !== undefined && { cause: this.#abortReason.cause }),
    });
  }
}

interface DaemonStatus {
  /** Resolves at the first byte, a zero; stays pending if the pipe is closed without one. */
  readonly ready: Promise<void>;
  /** Resolves with what follows; stays pending if the pipe is closed without more. */
  readonly failed: Promise<string>;
}

function watchStatus(fd: number): DaemonStatus {
  const ready = deferred<void>();
  const failed = deferred<string>();
  const watch = native().watch(fd, () => {
    const buffer = Buffer.alloc(MAX_REASON_BYTES);
    let length = 0;
    try {
      length = readSync(fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
    }
    const reason = buffer.toString('utf8', 0, length).replace('\0', '');
    if (length > 0 && buffer[0] === 0) {
      ready.resolve();
      watch.unref();
    }
    if (reason !== '') failed.resolve(reason);
    if (length > 0 && reason === '') return;
    watch.close();
    native().close(fd);
  });
  return { ready: ready.promise, failed: failed.promise };
}
