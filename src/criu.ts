import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cancellation } from './concurrency/cancellation.ts';
import { traceOperation } from './diagnostics.ts';
import { CriuError } from './errors.ts';
import type { PreflightFinding } from './finding.ts';
import type { Client } from './operations/client.ts';
import { type DumpOptions, type DumpResult, dump, type PreDumpOptions } from './operations/dump.ts';
import { PageServer } from './operations/page-server.ts';
import {
  askFeatures,
  askVersion,
  type CriuFeatures,
  type CriuVersion,
  requireSupport,
} from './operations/probe.ts';
import { type RestoreOptions, restore } from './operations/restore.ts';
import type { RestoredProcess } from './operations/restored-process.ts';
import { perform } from './operations/run.ts';

import {
  CriuSession,
  inheritedBySession,
  type SessionOptions,
  sessionOptions,
} from './operations/session.ts';
import { checkOptions, checkValue, readOptions, type Shape } from './options/check.ts';
import { flag, integer, text } from './options/kinds.ts';
import { limits } from './options/operation-options.ts';
import type { OptionOf } from './options/table.ts';
import { defaultOptions } from './options/translate.ts';
import type { CriuOpts, OperationOptions } from './options/types.ts';
import { lazyDump } from './postcopy/lazy-dump.ts';
import type { LazyDumpOptions } from './postcopy/lazy-dump-options.ts';
import type { LazyPages, LazyPagesOptions } from './postcopy/lazy-pages.ts';
import { startLazyPages } from './postcopy/lazy-pages-start.ts';
import {
  type LazyRestored,
  type LazyRestoreOptions,
  lazyRestore as restoreLazily,
} from './postcopy/lazy-restore.ts';
import type { LazySource } from './postcopy/lazy-source.ts';
import { iterate } from './precopy/iterate.ts';
import type { IterateOptions } from './precopy/iterate-options.ts';
import type { Iteration } from './precopy/iteration.ts';
import type { PreflightOptions } from './preflight/options.ts';
import { preflight as look } from './preflight/preflight.ts';
import { locate } from './worker/binary.ts';
import { Pool } from './worker/pool.ts';
import { WorkerSession } from './worker/worker-session.ts';

/** More than that would be a mistake. */
const MAX_PREWARM = 64;

/** Options of a {@link Criu}. */
export interface CriuClientOptions {
  /** The criu binary: a path, or a name to look up on PATH. Default: `CRIU_PATH`, else `criu`. */
  path?: string;
  /** Options for every operation that takes them; what an operation is given itself comes first. */
  defaults?: Partial<CriuOpts>;
  /**
   * How many criu processes to keep started ahead, so that an operation need not wait for criu's own
   * start: 0 (default) to 64. They wait with the environment and the working directory that they were
   * started with; operations with descriptors to inherit start their own. One that dies is replaced,
   * after a while if that happens again. They do not keep Node running, and end with {@link Criu.close}.
   */
  prewarm?: number;
}

const clientOptions: Shape<CriuClientOptions> = {
  path: text,
  defaults: defaultOptions,
  prewarm: integer(0, MAX_PREWARM),
};

/** Options of {@link Criu.checkpoint}: runc's CriuOpts, with `preDump` among them. */
export interface CheckpointOptions extends DumpOptions, Pick<CriuOpts, 'preDump'> {}

/** Options of {@link Criu.check}. */
export interface CheckOptions extends Pick<CriuOpts, OptionOf<'check'>>, OperationOptions {}

/** Options of {@link Criu.cpuinfoDump} and {@link Criu.cpuinfoCheck}. */
export interface CpuinfoOptions extends Pick<CriuOpts, OptionOf<'cpuinfoDump'>>, OperationOptions {}

/** Options of {@link Criu.pageServer}. */
export interface PageServerStartOptions
  extends Pick<CriuOpts, OptionOf<'pageServer'>>,
    OperationOptions {}

/**
 * A client of one criu binary. Each operation starts a `criu swrk` of its own, and operations do
 * not disturb each other. Failures are {@link CriuError}s; see there for the codes.
 *
 * @example
 * ```ts
 * const criu = new Criu();
 * await criu.dump(pid, { imagesDirectory: '/var/lib/checkpoints/1' });
 * const { pid: again } = await criu.restore({ imagesDirectory: '/var/lib/checkpoints/1' });
 * ```
 */
export class Criu implements AsyncDisposable {
  readonly #client: Client;
  readonly #held = new Set<AsyncDisposable>();
  #closed = false;

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if an option or default is wrong */
  constructor(options: CriuClientOptions = {}) {
    const { path, defaults = {}, prewarm = 0 } = checkOptions('new Criu', options, clientOptions);
    const pool = prewarm > 0 ? new Pool(prewarm) : undefined;
    this.#client = { path, defaults, pool };
    // If there is no such criu, the first operation will say so.
    if (pool)
      locate('new Criu', this.#client).then(
        (binary) => pool.start(binary),
        () => {},
      );
  }

  /** Asks CRIU for its version. Source: RPC request VERSION, CRIU 3.0. */
  async version(options: OperationOptions = {}): Promise<CriuVersion> {
    this.#refuseIfClosed('version');
    using cancellation = new Cancellation('version', checkOptions('version', options, limits));
    return await traceOperation({ operation: 'version' }, async () =>
      askVersion('version', await locate('version', this.#client), cancellation),
    );
  }

  /**
   * Asks CRIU what this kernel has. Source: RPC request FEATURE_CHECK, CRIU 3.0; a feature that
   * CRIU is too old to know is false.
   */
  async features(options: OperationOptions = {}): Promise<CriuFeatures> {
    this.#refuseIfClosed('features');
    using cancellation = new Cancellation('features', checkOptions('features', options, limits));
    return await traceOperation({ operation: 'features' }, async () =>
      askFeatures('features', await locate('features', this.#client), cancellation),
    );
  }

  /**
   * Checks that the kernel has what CRIU cannot do without; resolves if so. Source: RPC request
   * CHECK, criu(8) check.
   * @throws CriuError ERR_CRIU_FAILED with what is missing
   */
  async check(options: CheckOptions = {}): Promise<void> {
    this.#refuseIfClosed('check');
    const given = readOptions('check', options);
    await traceOperation({ operation: 'check' }, () => this.#check(given));
  }

  async #check(given: CheckOptions): Promise<void> {
    const job = { operation: 'check', label: 'check', type: 'CHECK' } as const;
    if ((given.workDirectory ?? this.#client.defaults.workDirectory) !== undefined) {
      await perform(this.#client, job, given);
      return;
    }
    // Before 4.2 CRIU wants a directory even if it is to log nothing.
    const workDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
    try {
      await perform(this.#client, job, { ...given, workDirectory });
    } finally {
      await rm(workDirectory, { recursive: true, force: true });
    }
  }

  /**
   * Freezes a process tree and writes it to disk. The processes are then killed, or go on with
   * `leaveRunning`. If it fails they go on. Source: RPC request DUMP, criu(8) dump.
   * @param pid the root of the tree
   * @throws CriuError its `workload` says what became of the processes
   */
  async dump(pid: number, options: DumpOptions): Promise<DumpResult> {
    this.#refuseIfClosed('dump');
    const given = readOptions('dump', options);
    return await traceOperation({ operation: 'dump', pid }, () =>
      dump(this.#client, 'dump', pid, given),
    );
  }

  /**
   * Copies the memory of a running process tree, as one round of an iterative dump; it stops only
   * for as long as that takes to begin. Source: RPC request SINGLE_PRE_DUMP, criu(8) pre-dump,
   * CRIU 3.17.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_MEM_TRACK if the kernel does not track changed memory
   */
  async preDump(pid: number, options: PreDumpOptions): Promise<DumpResult> {
    this.#refuseIfClosed('preDump');
    const given = readOptions('preDump', options);
    return await traceOperation({ operation: 'preDump', pid }, () =>
      dump(this.#client, 'preDump', pid, given),
    );
  }

  /** {@link Criu.preDump} if `preDump` is true, else {@link Criu.dump}: runc's Checkpoint. */
  async checkpoint(pid: number, options: CheckpointOptions): Promise<DumpResult> {
    const given = readOptions('checkpoint', options ?? {});
    const { preDump = this.#client.defaults.preDump, ...rest } = given;
    if (preDump !== undefined) checkValue('checkpoint', 'preDump', flag, preDump);
    return preDump ? await this.preDump(pid, rest) : await this.dump(pid, rest);
  }

  /**
   * Begins an iterative dump: rounds of pre-dumps while the processes run, and a dump that freezes
   * them only for what has changed since. Nothing is done to the processes yet. `preflight` looks
   * first for what would make the dump fail. Source: RPC request PRE_DUMP, criu(8) pre-dump.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_MEM_TRACK if the kernel does not track changed memory,
   * ERR_CRIU_PREFLIGHT if the dump would fail
   */
  async iterate(pid: number, options: IterateOptions): Promise<Iteration> {
    this.#refuseIfClosed('iterate');
    const given = readOptions('iterate', options);
    const iteration = await traceOperation({ operation: 'iterate', pid }, () =>
      iterate(this.#client, pid, given),
    );
    return await this.#hold('iterate', iteration, iteration.exited);
  }

  /**
   * Reports what a dump of a process tree with these options, or a restore after it, would stumble
   * over, errors first; nothing if nothing is in the way. It only looks, at the tree as it is now.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_SUCH_PROCESS
   */
  async preflight(pid: number, options: PreflightOptions = {}): Promise<PreflightFinding[]> {
    this.#refuseIfClosed('preflight');
    const given = readOptions('preflight', options);
    return await traceOperation({ operation: 'preflight', pid }, () =>
      look(this.#client, pid, given, {
        requireSupport: (binary, needs, cancellation) =>
          requireSupport('preflight', binary, needs, cancellation),
        check: (limits) => this.check(limits),
      }),
    );
  }

  /**
   * Brings a dumped process tree back, with its pids. Source: RPC request RESTORE, criu(8) restore.
   * @throws CriuError ERR_CRIU_PID_BUSY if one of its pids is in use
   */
  async restore(options: RestoreOptions): Promise<RestoredProcess> {
    this.#refuseIfClosed('restore');
    const given = readOptions('restore', options);
    return await traceOperation({ operation: 'restore' }, () => restore(this.#client, given));
  }

  /**
   * Freezes a process tree, writes its images but for most of its memory, and serves that to one
   * destination, where the processes run before it has all arrived. Resolves when the source is
   * ready; {@link LazySource.done} when the destination has what it needs and the original has
   * ended. Without TLS it listens on this host's own addresses only, unless `insecure` says
   * otherwise. Source: RPC request DUMP with `lazy_pages`, criu(8) dump --lazy-pages, CRIU 3.15.
   * @param pid the root of the tree
   * @throws CriuError as {@link Criu.dump} does; ERR_CRIU_NO_LAZY_PAGES if the kernel lacks
   * userfaultfd, or CRIU could not have pipes large enough to serve from
   */
  async lazyDump(pid: number, options: LazyDumpOptions): Promise<LazySource> {
    this.#refuseIfClosed('lazyDump');
    const given = readOptions('lazyDump', options);
    const source = await traceOperation({ operation: 'lazyDump', pid }, () =>
      lazyDump(this.#client, pid, given),
    );
    const ended = source.done.catch(() => {});
    return await this.#hold('lazyDump', source, ended);
  }

  /**
   * Starts the daemon that gives a restore with `lazyPages` its memory, from the images or, with
   * `pageServer`, from a lazy dump. {@link Criu.lazyRestore} does that and the restore.
   * Source: criu(8) lazy-pages, CRIU 3.5.
   * @throws CriuError ERR_CRIU_NO_LAZY_PAGES if the kernel lacks userfaultfd
   */
  async lazyPages(options: LazyPagesOptions): Promise<LazyPages> {
    this.#refuseIfClosed('lazyPages');
    const given = readOptions('lazyPages', options);
    const daemon = await traceOperation({ operation: 'lazyPages' }, () =>
      startLazyPages(this.#client, given),
    );
    return await this.#hold('lazyPages', daemon, daemon.exited);
  }

  /**
   * Brings a dumped process tree back before its memory: it runs at once, and gets each page when it
   * touches it, or else in the background; from the images, or with `pageServer` from a lazy dump.
   * Should the rest of the memory not come, the processes are killed.
   * Source: criu(8) restore --lazy-pages and lazy-pages, CRIU 3.5.
   * @throws CriuError as {@link Criu.restore} does, ERR_CRIU_LAZY_PAGES if the daemon fails first
   */
  async lazyRestore(options: LazyRestoreOptions): Promise<LazyRestored> {
    this.#refuseIfClosed('lazyRestore');
    const given = readOptions('lazyRestore', options);
    return await traceOperation({ operation: 'lazyRestore' }, () =>
      restoreLazily(this.#client, given),
    );
  }

  /**
   * Writes a description of this host's processor, to compare another host with. Source: RPC
   * request CPUINFO_DUMP, criu(8) cpuinfo dump.
   */
  async cpuinfoDump(options: CpuinfoOptions): Promise<void> {
    this.#refuseIfClosed('cpuinfoDump');
    const job = { operation: 'cpuinfoDump', label: 'cpuinfoDump', type: 'CPUINFO_DUMP' } as const;
    const given = readOptions(job.operation, options);
    await traceOperation({ operation: job.operation }, () => perform(this.#client, job, given));
  }

  /**
   * Compares this host's processor with the description in the images directory; resolves if what
   * was dumped there can run here. Source: RPC request CPUINFO_CHECK, criu(8) cpuinfo check.
   * @throws CriuError ERR_CRIU_FAILED if it can not
   */
  async cpuinfoCheck(options: CpuinfoOptions): Promise<void> {
    this.#refuseIfClosed('cpuinfoCheck');
    const job = {
      operation: 'cpuinfoCheck',
      label: 'cpuinfoCheck',
      type: 'CPUINFO_CHECK',
    } as const;
    const given = readOptions(job.operation, options);
    await traceOperation({ operation: job.operation }, () => perform(this.#client, job, given));
  }

  /**
   * Starts a page server; it listens on 127.0.0.1 and a free port unless told otherwise. Source:
   * RPC requests PAGE_SERVER_CHLD and WAIT_PID, criu(8) page-server, CRIU 3.7.
   */
  async pageServer(options: PageServerStartOptions): Promise<PageServer> {
    this.#refuseIfClosed('pageServer');
    const given = readOptions('pageServer', options);
    const server = await traceOperation({ operation: 'pageServer' }, () =>
      PageServer.start(this.#client, given),
    );
    return await this.#hold('pageServer', server, server.exited);
  }

  /**
   * Opens a session: CRIU's own messages, for what the methods do not cover. `signal` and `deadlineMs`
   * end all of it.
   */
  async session(options: SessionOptions = {}): Promise<CriuSession> {
    this.#refuseIfClosed('session');
    const given = checkOptions('session', options, sessionOptions);
    const inherited = inheritedBySession(given);
    const cancellation = new Cancellation('session', given);
    try {
      const session = await traceOperation({ operation: 'session' }, async () => {
        cancellation.throwIfRequested();
        const binary = await locate('session', this.#client);
        const opening = { operation: 'session', binary, inherited };
        return new CriuSession(await WorkerSession.open(opening), cancellation);
      });
      return await this.#hold('session', session, session.exited);
    } catch (error) {
      cancellation[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Ends what this client has opened: page servers, sessions, iterations, lazy sources and lazy-pages
   * daemons. Operations under way finish, and new ones are refused with ERR_CRIU_CLOSED. Idempotent.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const held = [...this.#held].map((one) => one[Symbol.asyncDispose]());
    await Promise.all([...held, this.#client.pool?.close()]);
  }

  /** Same as {@link Criu.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refuseIfClosed(operation: string): void {
    if (!this.#closed) return;
    throw new CriuError('ERR_CRIU_CLOSED', `${operation}: this client is closed`, { operation });
  }

  /** Remembers what close() has to end, until it has ended by itself. */
  async #hold<T extends AsyncDisposable>(
    operation: string,
    held: T,
    ended: Promise<unknown>,
  ): Promise<T> {
    this.#held.add(held);
    ended.then(() => this.#held.delete(held));
    // It may have been closed while this was starting.
    if (this.#closed) await held[Symbol.asyncDispose]();
    this.#refuseIfClosed(operation);
    return held;
  }
}

/** {@link Criu.preflight} of the default client, or of the one with the criu at `path`. */
export async function preflight(
  pid: number,
  options: PreflightOptions & Pick<CriuClientOptions, 'path'> = {},
): Promise<PreflightFinding[]> {
  const { path, ...rest } = readOptions('preflight', options);
  await using criu = new Criu(path === undefined ? {} : { path });
  return await criu.preflight(pid, rest);
}

/** {@link Criu.lazyRestore} of the default client, or of the one with the criu at `path`. */
export async function lazyRestore(
  directory: string,
  options: Omit<LazyRestoreOptions, 'imagesDirectory'> & Pick<CriuClientOptions, 'path'> = {},
): Promise<LazyRestored> {
  const { path, ...rest } = readOptions('lazyRestore', options);
  const criu = new Criu(path === undefined ? {} : { path });
  return await criu.lazyRestore({ ...rest, imagesDirectory: directory });
}
