import type { ExitStatus } from '../errors.ts';
import type { DumpStats } from '../images/dump-stats.ts';
import { statsSince } from '../images/stats.ts';
import type { Client } from '../operations/client.ts';
import { type DumpResult, dump } from '../operations/dump.ts';
import { type LazyDumpContext, lazyDump } from '../postcopy/lazy-dump.ts';
import type { LazyDumpOptions } from '../postcopy/lazy-dump-options.ts';
import type { LazySource } from '../postcopy/lazy-source.ts';
import type { ServingConnection } from '../postcopy/serving-connection.ts';
import type { WorkerSession } from '../worker/worker-session.ts';
import { RemoteRound } from './remote-round.ts';
import type { PreparedRound } from './round-preparation.ts';
import type { Tracking } from './tracking.ts';

/** The kernel tracks what changes, and one criu makes all rounds. */
export class SoftDirty implements Tracking {
  readonly kind = 'soft-dirty';
  readonly #client: Client;
  readonly #workerSession: WorkerSession;
  readonly #connection: ServingConnection | undefined;
  /** What CRIU has counted in all rounds so far. */
  #total: DumpStats | undefined;
  /** The round before, if a lazy dump can follow and a page server has the pages. */
  #remote: RemoteRound | undefined;

  /** @param connection the connection for a lazy dump, which criu has inherited */
  constructor(
    client: Client,
    workerSession: WorkerSession,
    connection: ServingConnection | undefined,
  ) {
    this.#client = client;
    this.#workerSession = workerSession;
    this.#connection = connection;
    this.exited.then(() => connection?.close());
  }

  get exited(): Promise<ExitStatus> {
    return this.#workerSession.worker.exited;
  }

  get isOver(): boolean {
    return this.#workerSession.over || this.#connection?.isOpen === false;
  }

  async preDump(pid: number, round: PreparedRound): Promise<DumpResult> {
    const { imagesDirectory } = round.options;
    const isNeeded = this.#connection !== undefined && !round.isLocal;
    const remote = isNeeded ? await RemoteRound.begin(pid, imagesDirectory) : undefined;
    const result = await this.#make('preDump', pid, round);
    this.#remote = remote;
    return result;
  }

  async dump(pid: number, round: PreparedRound): Promise<DumpResult> {
    return await this.#make('dump', pid, round);
  }

  async lazyDump(
    pid: number,
    { name, options }: PreparedRound & { readonly options: LazyDumpOptions },
    context: LazyDumpContext,
  ): Promise<LazySource> {
    await using _ = await this.#remote?.writePagemaps(pid);
    return await lazyDump(this.#client, pid, options, {
      ...context,
      round: { name, workerSession: this.#workerSession },
      ...(this.#connection && { connection: this.#connection }),
    });
  }

  async end(): Promise<void> {
    await this.#workerSession.end();
  }

  async #make(
    operation: 'preDump' | 'dump',
    pid: number,
    { name, options }: PreparedRound,
  ): Promise<DumpResult> {
    const context = { name, workerSession: this.#workerSession };
    const result = await dump(this.#client, operation, pid, options, context);
    const stats = statsSince(this.#total, result.stats);
    this.#total = result.stats;
    return { ...result, stats };
  }
}
