import { readSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { killSession } from '../cleanup/session.ts';
import { Cancellation } from '../concurrency/cancellation.ts';
import { within } from '../concurrency/deadline.ts';
import { spawnSlot } from '../concurrency/spawn-slot.ts';
import { CriuError, type CriuLog, type ExitStatus, invalid } from '../errors.ts';
import { type AbortReason, trueCause } from '../failure/cause.ts';
import { LogFile } from '../failure/log.ts';
import { lazyPagesIn } from '../images/lazy-stats.ts';
import { native } from '../native/index.ts';
import type { Client } from '../operations/client.ts';
import { openDirectory } from '../operations/directories.ts';
import { requireSupport } from '../operations/probe.ts';
import { checkOptions } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import { handOver } from '../options/page-connection.ts';
import { refuseOpenNetwork } from '../options/reach.ts';
import type { OptionOf } from '../options/table.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import { TERMINATION_MS, terminate } from '../process/terminate.ts';
import type { CriuWireOpts } from '../protocol/messages.ts';
import { locate } from '../worker/binary.ts';
import { CriuChild } from '../worker/child.ts';
import { startFailure } from '../worker/worker-session.ts';
import { UffdGuard } from './uffd-guard.ts';

/** Options of {@link Criu.lazyPages}. `imagesDirectory` is required. */
export interface LazyPagesOptions
  extends Pick<CriuOpts, OptionOf<'lazyPages'>>,
    Omit<OperationOptions, 'gracePeriodMs'> {
  /** To fetch memory over a network without TLS, from whoever is at that address. */
  insecure?: boolean;
}

/** What a lazy-pages daemon has done. */
export interface LazyPagesResult {
  /** Pages that were to come after the restore, by the images. */
  readonly pages: number;
  /** The same in bytes. */
  readonly bytes: number;
  /** Time from the start of the daemon to its end, in milliseconds. */
  readonly durationMs: number;
}

const SOCKET = 'lazy-pages.socket';
const LOG = 'lazy-pages.log';
/** The number of the descriptor at which it tells that it is ready. */
const STATUS_FD = 3;
const KEEPER_FD = 32;

/**
 * A lazy-pages daemon of CRIU: gives one restore with `lazyPages` its memory, from the images or from
 * a lazy dump, as the processes touch it and in the background. It runs on if this process ends.
 *
 * If it ends before every page is there, the kernel gives the processes zeros for the others:
 * {@link Criu.lazyRestore} sees to it that they do not live to see them.
 */
export class LazyPages implements AsyncDisposable {
  /** Its pid. */
  readonly pid: number;
  /** Where a restore finds it: in its work directory, which has to be the same. */
  readonly socketPath: string;
  /** Resolves when it accepts a restore; rejects as {@link LazyPages.done} if it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended: with code 0 if every page is there. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Resolves when every page is there. Rejects with ERR_CRIU_LAZY_PAGES if it ends before, with the
   * cause from its log; with ERR_CRIU_CLOSED, ERR_CRIU_ABORTED or ERR_CRIU_TIMEOUT if it was ended.
   */
  readonly done: Promise<LazyPagesResult>;
  readonly #child: CriuChild;
  readonly #log: LogFile;
  /** Where it gets the memory over a network. */
  readonly #server: string | undefined;
  /** Why it was ended, if it was. */
  #ended: AbortReason | undefined;

  /**
   * @internal
   * @param outer what may cancel the start besides
   * @param keeper our end of the connection that it is given: as long as the daemon has that, too, it
   * does not see the connection end, and the processes wait for their pages, if this process dies
   */
  static async start(
    client: Client,
    given: LazyPagesOptions,
    {
      operation = 'lazyPages',
      outer,
      keeper,
    }: { operation?: string; outer?: Cancellation; keeper?: number | undefined } = {},
  ): Promise<LazyPages> {
    const start = performance.now();
    const { signal, deadlineMs, insecure, ...own } = given;
    const limits = { signal, deadlineMs, gracePeriodMs: outer?.graceMs };
    checkOptions(operation, limits, operationOptions);
    using cancellation = new Cancellation(operation, limits, outer);
    const options = withDefaults('lazyPages', own, client.defaults);
    const { wire, inherited, newest } = translate('lazyPages', options, operation);
    refuseOpenNetwork(operation, wire.ps?.address ?? undefined, options.tls, insecure);
    const binary = await locate(operation, client);
    const { imagesDirectory, workDirectory } = options;
    await using images = await openDirectory(operation, 'imagesDirectory', imagesDirectory, false);
    await using work = await openDirectory(operation, 'workDirectory', workDirectory, true);
    if (!images) throw invalid(operation, 'imagesDirectory', 'a directory', imagesDirectory);
    const place = resolve((work ?? images).path);
    const needs = { since: 30500, newest, memTrack: false, lazyPages: true };
    await requireSupport(operation, binary, needs, cancellation);
    handOver(operation, inherited.find(([number]) => number === wire.ps?.fd)?.[1]);
    const pages = await lazyPagesIn(operation, images.path);
    const log = await LogFile.at(join(place, options.logFile ?? LOG));
    await spawnSlot();
    cancellation.throwIfRequested();
    const [status, statusEnd] = native().pipe();
    try {
      const child = CriuChild.start({
        path: binary.path,
        args: argumentsOf({ wire, options, images: resolve(images.path), work: place }),
        inherited: [
          ...inherited,
          [STATUS_FD, statusEnd],
          ...(keeper === undefined ? [] : [[KEEPER_FD, keeper] as const]),
        ],
      });
      return new LazyPages({
        child,
        status,
        place,
        log,
        pages,
        start,
        server: wire.ps?.address ? `${wire.ps.address}:${wire.ps.port}` : undefined,
        given: { signal, deadlineMs },
      });
    } catch (error) {
      native().close(status);
      throw startFailure(operation, binary, error);
    } finally {
      native().close(statusEnd);
    }
  }

  private constructor(parts: {
    child: CriuChild;
    status: number;
    place: string;
    log: LogFile;
    pages: number;
    start: number;
    server: string | undefined;
    given: OperationOptions;
  }) {
    const { child, status, place, log, pages, start, server, given } = parts;
    this.pid = child.pid;
    this.socketPath = join(place, SOCKET);
    this.exited = child.exit.exited;
    this.#child = child;
    this.#log = log;
    this.#server = server;
    this.done = this.#untilDone(pages, start, given);
    this.ready = Promise.race([untilReady(status), this.done.then(() => {})]);
    // Nobody has to wait for them.
    this.done.catch(() => {});
    this.ready.catch(() => {});
  }

  /** What its log says so far. */
  async log(): Promise<CriuLog | undefined> {
    return await this.#log.read();
  }

  /** Ends it, if it has not ended by itself, and resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    await this.end({ code: 'ERR_CRIU_CLOSED', text: 'the daemon was closed' });
  }

  /** Same as {@link LazyPages.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Ends it for a reason, which its failure will have. */
  async end(reason: AbortReason): Promise<void> {
    if (!this.#child.exit.status) this.#ended ??= reason;
    await terminate((number) => this.#child.signal(number), this.exited);
    await this.done.catch(() => {});
  }

  /** @internal Keeps processes waiting for their pages if it dies. */
  async holdFaults(processes: number, forked: () => void): Promise<UffdGuard> {
    return await UffdGuard.of(this.#child, processes, forked);
  }

  /** @internal Why it has ended or is about to, if it does so by itself. */
  async failure(): Promise<CriuError | undefined> {
    await within(TERMINATION_MS, this.exited);
    if (!this.#child.exit.status || this.#ended) return undefined;
    return await this.done.then(
      () => undefined,
      (error: CriuError) => error,
    );
  }

  async #untilDone(
    pages: number,
    start: number,
    given: OperationOptions,
  ): Promise<LazyPagesResult> {
    using cancellation = new Cancellation('lazyPages', given);
    cancellation.requested.then(() => {
      const { code, message: text, cause } = cancellation.reason as CriuError;
      this.end({ code, text, cause });
    });
    this.#child.exit.ref();
    const exit = await this.exited;
    const bytes = pages * native().pageSize;
    if (exit.code === 0) return { pages, bytes, durationMs: performance.now() - start };
    // While it starts, criu tests the kernel with child processes, which would wait for it forever.
    await killSession(this.pid);
    const log = await this.log();
    const remains = this.#child.remains;
    const how = exit.signal ? `was killed by ${exit.signal}` : `exited with ${exit.code}`;
    // What is wrong with the connection CRIU does not call an error.
    const hint = !exit.signal && this.#server && `is there no lazy source at ${this.#server}?`;
    const cause = trueCause({ log, remains }) ?? hint;
    const text = this.#ended?.text ?? `the daemon ${how}${cause ? `: ${cause}` : ''}`;
    throw new CriuError(this.#ended?.code ?? 'ERR_CRIU_LAZY_PAGES', `lazyPages: ${text}`, {
      operation: 'lazyPages',
      log,
      stderr: remains.stderr,
      exit,
      ...(this.#ended?.cause !== undefined && { cause: this.#ended.cause }),
    });
  }
}

/** Resolves at the first byte, and never if none comes. */
function untilReady(status: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = native().watch(status, () => {
      const buffer = Buffer.alloc(1);
      let length = 0;
      try {
        length = readSync(status, buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
      }
      watch.close();
      native().close(status);
      if (length > 0) resolve();
    });
  });
}

/** The command line, by the fields that a request would have. */
function argumentsOf({
  wire,
  options,
  images,
  work,
}: {
  wire: Partial<CriuWireOpts>;
  options: CriuOpts;
  images: string;
  work: string;
}): string[] {
  const { ps, log_level: level = 2, tls, tls_no_cn_verify: unverified } = wire;
  const files = ['tls_cacert', 'tls_cacrl', 'tls_cert', 'tls_key'] as const;
  const server =
    ps?.fd === undefined
      ? ['--address', ps?.address ?? '', '--port', String(ps?.port)]
      : ['--ps-socket', String(ps.fd)];
  return [
    'lazy-pages',
    ...['--images-dir', images, '--work-dir', work],
    ...['--log-file', options.logFile ?? LOG, `-v${level}`],
    ...['--status-fd', String(STATUS_FD)],
    ...(ps ? ['--page-server', ...server] : []),
    ...(tls ? ['--tls'] : []),
    ...(unverified ? ['--tls-no-cn-verify'] : []),
    ...files.flatMap((field) =>
      wire[field] ? [`--${field.replaceAll('_', '-')}`, resolve(wire[field])] : [],
    ),
    ...(wire.config_file ? ['--config', resolve(wire.config_file)] : []),
  ];
}
