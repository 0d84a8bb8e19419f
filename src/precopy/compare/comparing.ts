import { writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Cancellation } from '../../concurrency/cancellation.ts';
import { deferred } from '../../concurrency/deferred.ts';
import { RateLimit } from '../../concurrency/rate-limit.ts';
import { asCriuError, CriuError, type ExitStatus } from '../../errors.ts';
import type { DumpStats } from '../../images/dump-stats.ts';
import { native } from '../../native/index.ts';
import type { Client } from '../../operations/client.ts';
import { type DescribeImages, DirectImages } from '../../operations/direct-images.ts';
import { type DumpResult, dump, type ServeCommand } from '../../operations/dump.ts';
import { DumpManifest } from '../../operations/dump-manifest.ts';
import { assertExists } from '../../operations/existing-process.ts';
import { type ResolvedOptions, resolveOptions } from '../../operations/resolve.ts';
import { survivesDump } from '../../operations/staging.ts';
import type { CriuOpts } from '../../options/types.ts';
import { type LazyDumpContext, lazyDump } from '../../postcopy/lazy-dump.ts';
import type { LazyDumpOptions } from '../../postcopy/lazy-dump-options.ts';
import type { LazySource } from '../../postcopy/lazy-source.ts';
import { closeMessage } from '../../postcopy/page-protocol.ts';
import { SERVING_FD, ServingConnection } from '../../postcopy/serving-connection.ts';
import { stateOf } from '../../procfs/stat.ts';
import type { PreparedRound } from '../round-preparation.ts';
import type { Tracking } from '../tracking.ts';
import { ComparedImages } from './compared-images.ts';
import { addPages, type Completion, leavePages, sendPages } from './completion.ts';
import { PageServerStream } from './page-server-stream.ts';
import { countsOf, type PageCounts } from './page-spans.ts';
import type { ParentPages } from './parent-pages.ts';
import { completeRound, RoundFiles } from './round-files.ts';
import { TreeCopy } from './tree-copy.ts';

/** How memory is read: see {@link IterateOptions}. */
export interface ReadingOptions {
  readonly compareWith: 'hashes' | 'copy';
  readonly rateLimit: number | undefined;
  readonly lowPriority: boolean;
}

/** What is dumped after a round, or after other images. */
type NextRound = Pick<PreparedRound, 'options'> & {
  readonly name?: string;
  /** The memory that the images before have, if they are not the last round. */
  readonly parentPages?: ParentPages;
};

/**
 * Memory is compared with a copy of it, on any kernel. The rounds read the memory of the running processes.
 * For the dump CRIU leaves it in the frozen processes, where it is compared for the last time.
 */
export class Comparing implements Tracking {
  readonly kind = 'compare';
  readonly #client: Client;
  readonly #pagesFd: number | undefined;
  readonly #reading: ReadingOptions;
  readonly #tree: TreeCopy;
  readonly #ended = deferred<ExitStatus>();
  isOver = false;

  /** @param pagesFd a connection to page servers, which get the pages of all rounds; else they go to files */
  constructor(client: Client, pagesFd: number | undefined, reading: ReadingOptions) {
    this.#client = client;
    this.#pagesFd = pagesFd;
    this.#reading = reading;
    this.#tree = new TreeCopy(reading.compareWith === 'hashes');
  }

  get exited(): Promise<ExitStatus> {
    return this.#ended.promise;
  }

  async preDump(pid: number, round: PreparedRound): Promise<DumpResult> {
    try {
      return await this.readRound(pid, round);
    } catch (error) {
      // What cannot be removed has no inventory, and is no round.
      const { imagesDirectory } = round.options;
      if (this.isOver) await rm(imagesDirectory, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  }

  /** Makes a round that leaves behind what it has written if it fails. */
  async readRound(pid: number, { name, options, parentPages }: NextRound): Promise<DumpResult> {
    const label = `preDump of process ${pid}${name === undefined ? '' : `, ${name}`}`;
    // What is refused here does not end the rounds.
    using resolved = await resolveOptions(this.#client, 'preDump', options);
    using cancellation = new Cancellation(label, options);
    try {
      assertExists(this.#client, 'preDump', pid, label);
      const throwIfCancelled = () => cancellation.throwIfRequested();
      if (parentPages) await this.#tree.load('preDump', parentPages, throwIfCancelled);
      return await this.#readRunning(pid, resolved.effective, options, cancellation);
    } catch (error) {
      await this.end();
      const { code, message, errno } = asCriuError(label, error);
      const facts = { operation: 'preDump', pid, workload: stateOf(pid), errno, cause: error };
      throw new CriuError(code, message, facts);
    }
  }

  async dump(pid: number, round: NextRound): Promise<DumpResult> {
    const complete = this.#pagesFd === undefined ? addPages : sendPages(this.#pagesFd);
    const { context, options, opened } = this.#lastRound(pid, round, complete);
    const { pageServer: _, hooks: { statusReady: __, ...hooks } = {}, ...forCriu } = options;
    try {
      using serving = new UnusedServer();
      const lazy = { ...forCriu, hooks, lazyPages: true };
      const correctStats = ({ freezingTimeMs, frozenTimeMs }: DumpStats): DumpStats => {
        const [{ processes, compareMs, writeMs }] = opened as [ComparedImages];
        const counts = sumOf(processes.map(({ entries }) => countsOf(entries)));
        return { ...statsOf(counts, compareMs, writeMs), freezingTimeMs, frozenTimeMs };
      };
      return await dump(this.#client, 'dump', pid, lazy, { ...context, correctStats }, serving);
    } finally {
      if (opened.length > 0) await this.end();
    }
  }

  async lazyDump(
    pid: number,
    round: PreparedRound & { readonly options: LazyDumpOptions },
    given: LazyDumpContext,
  ): Promise<LazySource> {
    const { context, options, opened } = this.#lastRound(pid, round, leavePages);
    try {
      return await lazyDump(this.#client, pid, options, { ...given, round: context });
    } finally {
      if (opened.length > 0) await this.end();
    }
  }

  async end(): Promise<void> {
    this.isOver = true;
    this.#tree.free();
    this.#ended.resolve({ code: 0, signal: null });
  }

  /**
   * What the dump of the last round needs: CRIU itself knows of no parent. The rounds end once it has begun:
   * `opened` has its images then.
   */
  #lastRound(pid: number, { name, options, parentPages }: NextRound, complete: Completion) {
    const isLazy = complete === leavePages;
    const { parentImage, trackMem: _, ...forCriu } = options;
    const { imagesDirectory, durable } = options;
    const opened: ComparedImages[] = [];
    const openImages = async (
      { effective, cancellation }: ResolvedOptions,
      describe?: DescribeImages,
    ) => {
      const survives = survivesDump(effective);
      const throwIfCancelled = () => cancellation.throwIfRequested();
      if (parentPages) await this.#tree.load('dump', parentPages, throwIfCancelled);
      const images = new ComparedImages({
        ...{ pid, tree: this.#tree, parentImage, complete, survives },
        isDurable: durable !== false && !isLazy,
        images: await DirectImages.open('dump', imagesDirectory, survives, describe),
        throwIfCancelled,
      });
      opened.push(images);
      return images;
    };
    return { context: { ...(name && { name }), openImages }, options: forCriu, opened };
  }

  async #readRunning(
    pid: number,
    effective: CriuOpts,
    { imagesDirectory, parentImage, durable }: PreparedRound['options'],
    cancellation: Cancellation,
  ): Promise<DumpResult> {
    const start = performance.now();
    const manifest =
      effective.manifest === false ? undefined : await DumpManifest.of('preDump', pid, effective);
    const describe = (directory: string) => manifest?.write(directory);
    await using images = await DirectImages.open('preDump', imagesDirectory, true, describe);
    await using sink =
      this.#pagesFd === undefined
        ? new RoundFiles(imagesDirectory)
        : new PageServerStream(this.#pagesFd);
    let writeMs = 0;
    const { rateLimit = Number.POSITIVE_INFINITY, lowPriority } = this.#reading;
    const limit = new RateLimit(rateLimit);
    const { signal } = cancellation;
    const pace = {
      beforePart: async (bytes: number) => {
        await limit.wait(bytes, signal);
        cancellation.throwIfRequested();
      },
      // Not all at once, and then nothing for long.
      partBytes: rateLimit / 10,
      isBackground: lowPriority,
    };
    const counts = await this.#tree.readRunning(pid, pace, async (pages) => {
      const before = performance.now();
      await sink.add(pages);
      writeMs += performance.now() - before;
    });
    const readMs = performance.now() - start - writeMs;
    await sink.finish();
    await completeRound(imagesDirectory, parentImage);
    if (durable !== false) await images.finish();
    const stats = statsOf(counts, readMs, writeMs);
    await manifest?.write(imagesDirectory, stats);
    const durationMs = performance.now() - start;
    return { pid, imagesDirectory, stats, log: undefined, durationMs };
  }
}

/** The connection on which CRIU is to serve the memory that it left. Nobody needs it: CRIU ends at once. */
class UnusedServer implements ServeCommand, Disposable {
  readonly #connection = new ServingConnection();
  readonly #localFd = this.#connection.takeLocalFd('dump');
  readonly inherited = this.#connection.inherited;
  readonly socket = SERVING_FD;
  readonly forceKill = new Promise<void>(() => {});

  constructor() {
    writeSync(this.#localFd, closeMessage());
  }

  async failed(): Promise<undefined> {}

  [Symbol.dispose](): void {
    native().close(this.#localFd);
    this.#connection.close();
  }
}

function sumOf(counts: readonly PageCounts[]): PageCounts {
  const sum = (of: keyof PageCounts) => counts.reduce((total, each) => total + each[of], 0);
  return { changed: sum('changed'), same: sum('same') };
}

/** The statistics of a round in CRIU's words. The processes are not frozen. */
function statsOf({ changed, same }: PageCounts, readMs: number, writeMs: number): DumpStats {
  const { pageSize } = native();
  return {
    freezingTimeMs: 0,
    frozenTimeMs: 0,
    memdumpTimeMs: readMs,
    memwriteTimeMs: writeMs,
    pagesScanned: changed + same,
    pagesSkippedParent: same,
    pagesWritten: changed,
    pagesLazy: 0,
    pagePipes: undefined,
    pagePipeBufs: undefined,
    shpagesScanned: undefined,
    shpagesSkippedParent: undefined,
    shpagesWritten: undefined,
    irmapResolveMs: undefined,
    bytesWritten: changed * pageSize,
    pageSize,
  };
}
