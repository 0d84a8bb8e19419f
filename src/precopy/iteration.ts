import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CombinedSignal } from '../concurrency/combined-signal.ts';
import { traceOperation } from '../diagnostics.ts';
import { CriuError, type ExitStatus, invalid } from '../errors.ts';
import { type DumpStats, statsSince } from '../images/stats.ts';
import { native } from '../native/index.ts';
import type { Client } from '../operations/client.ts';
import { type DumpOptions, dump } from '../operations/dump.ts';
import { requireSupport } from '../operations/probe.ts';
import { checkOptions, readOptions } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import { handOver } from '../options/page-connection.ts';
import { OLDEST_CRIU } from '../options/table.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { Hooks, PageServerOptions } from '../options/types.ts';
import { type LazyDump, LazySource, servedOn, withoutOthers } from '../postcopy/lazy-source.ts';
import { PAGES_AHEAD } from '../postcopy/page-protocol.ts';
import { requireLargePipes } from '../postcopy/pipes.ts';
import { locate } from '../worker/binary.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import type {
  FinalDumpOptions,
  FinalLazyDumpOptions,
  IterateOptions,
  RoundOptions,
} from './iterate-options.ts';
import type { Decision } from './policy.ts';
import { type FinalDump, preCopied, type Round } from './round.ts';
import {
  assertDumpable,
  assertNoLeftoverOptions,
  assertNoOwnedOptions,
  assertParentIntact,
  assertUnused,
  pageServerOf,
  pathOf,
} from './round-checks.ts';

/** A page server that is not known yet, as it looks to a preflight. */
const ELSEWHERE: PageServerOptions = { address: '127.0.0.1', port: 1 };

/**
 * An iterative dump: rounds of pre-dumps, each of which copies what has changed since the one
 * before while the processes run, and a dump that has little left to copy. One criu serves all of
 * them. After a round that failed the processes run on and the iteration is over: what a further
 * round would have to copy is no longer known. Source: RPC request PRE_DUMP, criu(8) pre-dump.
 */
export class Iteration implements AsyncDisposable {
  /** The root of the tree. */
  readonly pid: number;
  readonly #client: Client;
  readonly #given: Omit<IterateOptions, 'signal'>;
  readonly #images: string;
  readonly #work: string | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #workerSession: WorkerSession;
  /** Our end of the connection on which a lazy dump is to serve, until one takes it. */
  #near: number | undefined;
  readonly #closing = new AbortController();
  readonly #start: number;
  /** What CRIU has counted in all rounds. */
  #total: DumpStats | undefined;
  #decision: Decision | undefined;
  #next = 0;
  #underWay: Promise<unknown> | undefined;
  /** Why there are no more rounds. */
  #over: { readonly text: string; readonly cause?: unknown } | undefined;

  /** @internal */
  static async start(client: Client, pid: number, given: IterateOptions): Promise<Iteration> {
    const start = performance.now();
    const { preflight: look = true, pageServer, lazyPages = false, ...options } = given;
    const { hooks, signal, deadlineMs, gracePeriodMs, ...own } = options;
    if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) {
      throw invalid('iterate', 'pid', 'a positive integer', pid);
    }
    for (const [option, value] of Object.entries({ preflight: look, lazyPages })) {
      if (typeof value !== 'boolean') throw invalid('iterate', option, 'a boolean', value);
    }
    checkOptions('iterate', { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
    using cancellation = new Cancellation('iterate', { signal, deadlineMs, gracePeriodMs });
    assertNoOwnedOptions('iterate', own, ['parentImage', 'trackMem']);
    if (lazyPages) assertNoLeftoverOptions(own);
    const server = typeof pageServer === 'function' ? undefined : { pageServer };
    const forDump = withDefaults('dump', { ...own, ...server }, client.defaults);
    const { inherited, newest } = translate('dump', forDump, 'iterate');
    cancellation.throwIfRequested();

    const binary = await locate('iterate', client);
    const needs = { since: OLDEST_CRIU, newest, memTrack: true, lazyPages };
    await requireSupport('iterate', binary, needs, cancellation);
    if (lazyPages) await requireLargePipes('iterate');
    const { imagesDirectory = client.defaults.imagesDirectory } = own;
    const images = await pathOf('imagesDirectory', imagesDirectory);
    const { workDirectory = client.defaults.workDirectory } = own;
    const work =
      workDirectory === undefined ? undefined : await pathOf('workDirectory', workDirectory);
    await assertUnused('iterate', join(images, '0'));
    const { pidfdStoreSk, ...visible } = own;
    const view = { ...visible, pageServer: server ? pageServer : ELSEWHERE, signal, deadlineMs };
    if (look) await assertDumpable(client, pid, view as DumpOptions);
    handOver('iterate', inherited[0]?.[1]);
    cancellation.throwIfRequested();
    const ends = lazyPages ? native().streamPair(PAGES_AHEAD) : undefined;
    try {
      const workerSession = await WorkerSession.open({
        operation: 'iterate',
        binary,
        inherited: [...inherited, ...(ends ? servedOn(...ends) : [])],
      });
      const near = ends?.[0];
      return new Iteration({
        client,
        pid,
        given,
        images,
        work,
        signal,
        workerSession,
        near,
        start,
      });
    } catch (error) {
      if (ends) native().close(ends[0]);
      throw error;
    } finally {
      if (ends) native().close(ends[1]);
    }
  }

  private constructor(parts: {
    client: Client;
    pid: number;
    given: IterateOptions;
    images: string;
    work: string | undefined;
    signal: AbortSignal | undefined;
    workerSession: WorkerSession;
    near: number | undefined;
    start: number;
  }) {
    this.pid = parts.pid;
    this.#client = parts.client;
    this.#given = parts.given;
    this.#images = parts.images;
    this.#work = parts.work;
    this.#signal = parts.signal;
    this.#workerSession = parts.workerSession;
    this.#near = parts.near;
    parts.workerSession.worker.exited.then(() => this.#closeNear());
    this.#start = parts.start;
  }

  /** Resolves when its criu has ended, after the dump, a failure or {@link Iteration.close}. */
  get exited(): Promise<ExitStatus> {
    return this.#workerSession.worker.exited;
  }

  /**
   * Copies the memory that has changed since the round before, or all of it in the first round. The
   * processes stop only for as long as it takes to collect it.
   * @throws CriuError ERR_CRIU_CLOSED after the dump, after a round that failed and after close
   */
  async preDump(options: RoundOptions = {}): Promise<Round> {
    return await this.#take('preDump', readOptions('preDump', options));
  }

  /**
   * Freezes the tree and dumps it, with the memory that has changed since the last round. Its
   * directory is what a restore takes. The iteration is over then; if it fails, the processes run on.
   * @throws CriuError as {@link Criu.dump} does, and ERR_CRIU_CLOSED as {@link Iteration.preDump}
   */
  async dump(options: FinalDumpOptions = {}): Promise<FinalDump> {
    const round = await this.#take('dump', readOptions('dump', options));
    this.#over ??= { text: 'has ended with its dump' };
    if (!this.#decision) return round;
    return { ...round, preCopy: preCopied(this.#decision, round.stats.frozenTimeMs) };
  }

  /**
   * Freezes the tree and dumps it as {@link Criu.lazyDump} does: little has changed since the last
   * round, and of that only what the copy needs first is waited for. For the destination the images
   * of all rounds have to be there. The iteration is over then.
   * @throws CriuError as {@link Criu.lazyDump} does, ERR_CRIU_INVALID_ARGUMENT if `lazyPages` was not
   * among the options of the iteration, and ERR_CRIU_CLOSED as {@link Iteration.preDump}
   */
  async lazyDump(options: FinalLazyDumpOptions = {}): Promise<LazySource> {
    return await this.lazyDumpTo(undefined, options);
  }

  /** @internal The same, to a destination that is connected already. */
  async lazyDumpTo(
    peer: Socket | undefined,
    options: FinalLazyDumpOptions = {},
    way: Pick<LazyDump, 'isKept' | 'rateLimit'> = {},
  ): Promise<LazySource> {
    const operation = 'lazyDump';
    const { pageServer, ...given } = readOptions(operation, options);
    this.#refuseIfOver(operation);
    if (!this.#given.lazyPages) {
      const message = `${operation}: lazyPages was not among the options of the iteration`;
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'lazyPages' });
    }
    const source = await this.#attempt(async () => {
      // It ends with the source.
      const limited = { ...given, signal: this.#limitsOf(given).signal };
      const { given: round, place, index } = await this.#prepare('dump', limited, null);
      const client = withoutOthers(this.#client);
      return await traceOperation({ operation, pid: this.pid, round: index }, () =>
        LazySource.start({
          operation,
          pid: this.pid,
          imagesDirectory: round.imagesDirectory,
          given: { ...round, ...(pageServer && { pageServer }) },
          client,
          near: () => this.#takeNear(operation),
          decision: this.#decision,
          ...(peer && { peer }),
          ...way,
          dump: (forDump, serving) => dump(client, 'dump', this.pid, forDump, place, serving),
        }),
      );
    });
    this.#over ??= { text: 'has ended with its dump' };
    return source;
  }

  /**
   * Ends it without a dump; the processes run on. A round under way is cancelled, and CRIU rolls
   * back. Idempotent.
   */
  async close(): Promise<void> {
    this.#over ??= { text: 'is closed' };
    this.#closing.abort(new Error('the iteration is closed'));
    await this.#underWay;
    await this.#workerSession.end();
  }

  /** Same as {@link Iteration.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Remembers what was expected of the dump. */
  decided(decision: Decision): void {
    this.#decision = decision;
  }

  async #take(operation: 'preDump' | 'dump', options: RoundOptions): Promise<Round> {
    this.#refuseIfOver(operation);
    return await this.#attempt(async () => {
      const startedMs = performance.now() - this.#start;
      using limits = this.#limitsOf(options);
      const limited = { ...options, signal: limits.signal };
      const { given, place, index } = await this.#prepare(operation, limited);
      const result = await traceOperation({ operation, pid: this.pid, round: index }, () =>
        dump(this.#client, operation, this.pid, given, place),
      );
      const { log, durationMs } = result;
      const stats = statsSince(this.#total, result.stats);
      this.#total = result.stats;
      return { index, directory: given.imagesDirectory, stats, startedMs, durationMs, log };
    });
  }

  /** Makes the next round, or ends the iteration with its failure. */
  async #attempt<T>(round: () => Promise<T>): Promise<T> {
    const made = round();
    this.#underWay = made.then(
      () => {},
      () => {},
    );
    try {
      const done = await made;
      this.#next++;
      return done;
    } catch (cause) {
      if (this.#workerSession.over || (this.#given.lazyPages && this.#near === undefined)) {
        this.#over ??= { text: `has ended with the failure of round ${this.#next}`, cause };
      }
      throw cause;
    } finally {
      this.#underWay = undefined;
    }
  }

  /** What the next round needs, its parents looked at. */
  async #prepare(
    operation: 'preDump' | 'dump',
    options: RoundOptions,
    server: IterateOptions['pageServer'] | null = this.#given.pageServer,
  ) {
    assertNoOwnedOptions(operation, options, [
      'imagesDirectory',
      'workDirectory',
      'parentImage',
      'trackMem',
    ]);
    const index = this.#next;
    const directory = join(this.#images, String(index));
    const name = `round ${index}`;
    await assertUnused(operation, directory);
    const parentImage = index === 0 ? undefined : `../${index - 1}`;
    const found =
      options.pageServer ?? (server && (await pageServerOf(operation, server, index, parentImage)));
    const given = {
      ...this.#optionsOf(operation, options),
      ...(found && { pageServer: found }),
      imagesDirectory: directory,
      ...(this.#work && { workDirectory: join(this.#work, String(index)) }),
      ...(parentImage && { parentImage }),
      trackMem: true,
    };
    if (parentImage) {
      const local = !(found ?? this.#given.pageServer);
      await assertParentIntact(operation, resolve(directory, parentImage), name, local);
    }
    return { given, index, place: { name, workerSession: this.#workerSession } };
  }

  /** Those of the iteration that this operation takes, and those of the round. */
  #optionsOf(
    operation: 'preDump' | 'dump',
    { hooks, pageServer: _, ...options }: RoundOptions,
  ): RoundOptions {
    const { preflight, lazyPages, pageServer, ...given } = this.#given as IterateOptions;
    const { deadlineMs, gracePeriodMs, hooks: own, ...rest } = given;
    return {
      deadlineMs,
      gracePeriodMs,
      ...withDefaults(operation, {}, rest),
      ...options,
      hooks: { ...own, ...hooks } as Hooks,
    };
  }

  /** What ends a round: also the end of the iteration. */
  #limitsOf({ signal }: RoundOptions): CombinedSignal {
    return new CombinedSignal([this.#closing.signal, this.#signal, signal]);
  }

  /** It is the source's from now on. */
  #takeNear(operation: string): number {
    const near = this.#near;
    this.#near = undefined;
    if (near !== undefined) return near;
    const message = `${operation}: the criu of the iteration has ended`;
    throw new CriuError('ERR_CRIU_EOF', message, { operation, pid: this.pid });
  }

  #closeNear(): void {
    if (this.#near !== undefined) native().close(this.#near);
    this.#near = undefined;
  }

  #refuseIfOver(operation: string): void {
    const { pid } = this;
    if (this.#over) {
      const message = `${operation}: the iteration of process ${pid} ${this.#over.text}`;
      throw new CriuError('ERR_CRIU_CLOSED', message, {
        operation,
        pid,
        cause: this.#over.cause,
      });
    }
    if (this.#underWay) {
      const message = `${operation}: round ${this.#next} of process ${pid} is not done yet`;
      throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, pid });
    }
  }
}
