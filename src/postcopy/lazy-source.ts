import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError } from '../errors.ts';
import type { AbortReason } from '../failure/cause.ts';
import type { DumpResult } from '../operations/dump.ts';
import type { PreCopied } from '../operations/pre-copied.ts';
import type { OperationOptions } from '../options/types.ts';
import type {
  Endpoint,
  LazyDumpOptions,
  LazyDumpResult,
  LazyProgress,
} from './lazy-dump-options.ts';
import type { Departure, LazyPageServer } from './lazy-page-server.ts';
import type { PageLedger } from './page-ledger.ts';
import type { StoppedTree } from './stopped-tree.ts';

/** The reason for making criu fail, and what happens to the original. */
interface FailReason extends AbortReason {
  /** The original is resumed even if the destination has fetched pages. */
  readonly resume?: boolean;
  /** The original is killed. */
  readonly discard?: boolean;
}

/** @internal What {@link lazyDump} starts a source with. */
export interface LazySourceParts {
  readonly operation: string;
  readonly pid: number;
  readonly imagesDirectory: string;
  readonly server: LazyPageServer;
  readonly ledger: PageLedger;
  readonly tree: StoppedTree;
  /** The dump, which lasts until criu has served the destination. */
  readonly dumping: Promise<DumpResult>;
  /** Kills criu. */
  readonly kill: () => void;
  readonly confirm: LazyDumpOptions['confirm'];
  readonly limits: OperationOptions;
  readonly preCopy: PreCopied | undefined;
  readonly mustStayStopped: () => boolean;
}

/**
 * The source of a lazy dump. It keeps the processes frozen, has their images without most of the memory
 * on disk, and serves that memory at `address` and `port` to one destination. The processes also get a
 * SIGSTOP, so that the original does not run next to its copy, however criu ends.
 *
 * If this process dies, criu keeps the original frozen but serves no more pages. End that criu, then
 * continue the processes (SIGCONT) if the destination failed, or kill them if its copy is complete.
 */
export class LazySource implements AsyncDisposable {
  /** The root of the tree. */
  readonly pid: number;
  /** The directory of the images, which the destination needs. */
  readonly imagesDirectory: string;
  /**
   * Resolves when the destination has what it needs and the original has ended. Rejects with
   * ERR_CRIU_LAZY_PAGES if the connection breaks off or the destination does not fetch some pages,
   * and as a dump does if criu fails or is cancelled. The `workload` of the error is the
   * state of the original: `running` if no page was fetched, else `stopped`, until
   * {@link LazySource.resume} or {@link LazySource.discard}.
   */
  readonly done: Promise<LazyDumpResult>;
  readonly #parts: LazySourceParts;
  /** How long criu may take to exit after it was made to fail, in milliseconds. */
  #graceMs = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  #criuEnded = false;
  /** True once the original was killed by {@link discard}. */
  #discarded = false;
  /** How criu was made to end: to finish, or to fail for a reason. Set once. */
  #order: 'finish' | FailReason | undefined;

  /** @internal */
  constructor(parts: LazySourceParts) {
    this.#parts = parts;
    this.pid = parts.pid;
    this.imagesDirectory = parts.imagesDirectory;
    this.done = this.#untilDone();
    // A caller need not handle the rejection.
    this.done.catch(() => {});
    parts.server.departed.then((how) => this.#onDeparture(how));
    parts.server.open(parts.ledger);
  }

  /** The address that the source listens on. */
  get address(): string {
    return this.#endpoint.address;
  }

  /** The port that the source listens on, also if the kernel chose it. */
  get port(): number {
    return this.#endpoint.port;
  }

  /** How many pages the destination has fetched so far. */
  get progress(): LazyProgress {
    const { total, missing } = this.#parts.ledger;
    return { pages: total, pagesFetched: total - missing };
  }

  /**
   * Resumes the original, and ends the source if it has not ended. Call it only if the copy is dead
   * or was never started: otherwise both run.
   * @throws CriuError ERR_CRIU_CLOSED if the original has ended
   */
  async resume(): Promise<void> {
    this.#fail({ code: 'ERR_CRIU_ABORTED', text: 'resume was called', resume: true });
    await this.#untilCriuEnded('resume');
    this.#parts.tree.resume();
  }

  /**
   * Kills the original without waiting for the destination. Call it only if the copy is complete or
   * the copy is no longer needed either.
   * @throws CriuError ERR_CRIU_CLOSED if the original has ended
   */
  async discard(): Promise<void> {
    this.#fail({ code: 'ERR_CRIU_ABORTED', text: 'discard was called', discard: true });
    await this.#untilCriuEnded('discard');
    this.#discarded = true;
    this.#parts.tree.kill();
  }

  /**
   * Ends the source if it has not ended: the original is resumed if no page was fetched yet, and
   * stays stopped otherwise. Idempotent.
   */
  async close(): Promise<void> {
    this.#fail({ code: 'ERR_CRIU_CLOSED', text: 'the source was closed' });
    await this.done.catch(() => {});
  }

  /** Same as {@link LazySource.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Called once criu has failed: resumes the original if it may run, and returns the error. */
  criuFailed(): AbortReason | undefined {
    const { server, tree, mustStayStopped } = this.#parts;
    const reason = this.#order === 'finish' ? undefined : this.#order;
    const mayRun = !reason?.discard && (!server.hasServed || reason?.resume);
    if (mayRun && !mustStayStopped()) tree.resume();
    return reason;
  }

  get #endpoint(): Endpoint {
    const { endpoint } = this.#parts.server;
    if (!endpoint) throw new Error('this source serves the one connection that it was given');
    return endpoint;
  }

  async #untilDone(): Promise<LazyDumpResult> {
    const { operation, limits, dumping, preCopy, server } = this.#parts;
    const { signal, deadlineMs, gracePeriodMs } = limits;
    using cancellation = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
    this.#graceMs = cancellation.graceMs;
    cancellation.requested.then(() => {
      const { code, cause } = cancellation.reason as CriuError;
      const text = code === 'ERR_CRIU_TIMEOUT' ? 'the deadline passed' : 'it was aborted';
      this.#fail({ code, text: `${text} before the destination had every page`, cause });
    });
    try {
      return { ...(await dumping), ...this.progress, ...(preCopy && { preCopy }) };
    } finally {
      this.#criuEnded = true;
      clearTimeout(this.#graceTimer);
      await server[Symbol.asyncDispose]();
    }
  }

  async #onDeparture(how: Departure): Promise<void> {
    const { pages, pagesFetched } = this.progress;
    const missing = `${pages - pagesFetched} of ${pages} pages were not fetched`;
    if (how === 'lost') {
      const text = `the connection to the destination broke off: ${missing}`;
      this.#fail({ code: 'ERR_CRIU_LAZY_PAGES', text });
    } else if (this.#parts.confirm) {
      await this.#askForConfirmation(this.#parts.confirm);
    } else if (pagesFetched < pages) {
      const text = `the destination closed its connection and nothing confirms its copy: ${missing}`;
      this.#fail({ code: 'ERR_CRIU_LAZY_PAGES', text });
    } else {
      this.#finish();
    }
  }

  async #askForConfirmation(confirm: NonNullable<LazyDumpOptions['confirm']>): Promise<void> {
    try {
      if (await confirm(this.progress)) this.#finish();
      else {
        const text = 'confirm returned false: the copy at the destination is not complete';
        this.#fail({ code: 'ERR_CRIU_LAZY_PAGES', text, resume: true });
      }
    } catch (cause) {
      const thrown = cause instanceof Error ? cause.message : String(cause);
      const text = `confirm threw: ${thrown}`;
      this.#fail({ code: 'ERR_CRIU_HOOK', text, cause, resume: true });
    }
  }

  /** Makes criu end successfully, which kills the original. */
  #finish(): void {
    if (this.#order) return;
    this.#order = 'finish';
    this.#parts.server.finish();
  }

  /** Makes criu fail, so that it rolls back; kills criu after the grace period. */
  #fail(reason: FailReason): void {
    if (this.#criuEnded) return;
    // A criu that hangs after the message to finish is killed as well.
    this.#graceTimer ??= setTimeout(this.#parts.kill, this.#graceMs);
    if (this.#order) return;
    this.#order = reason;
    this.#parts.server.fail();
  }

  /** Resolves when criu has ended. @throws CriuError ERR_CRIU_CLOSED if the original has ended */
  async #untilCriuEnded(operation: string): Promise<void> {
    const { pid } = this;
    const isDone = await this.done.then(
      () => true,
      () => false,
    );
    if (!isDone && !this.#discarded && !this.#parts.tree.hasEnded) return;
    const message = `${operation}: process ${pid} has ended`;
    throw new CriuError('ERR_CRIU_CLOSED', message, { operation, pid, workload: 'gone' });
  }
}
