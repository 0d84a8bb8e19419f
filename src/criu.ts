import { createTemplate } from './copies/create-template.ts';
import { copyMigration } from './copies/migrate-copy.ts';
import { Template } from './copies/template.ts';
import type { OpenTemplateOptions, TemplateOptions } from './copies/template-options.ts';
import { traceOperation } from './diagnostics.ts';
import { CriuError, invalid } from './errors.ts';
import type { PreflightFinding } from './finding.ts';
import { type MigrationServer, startMigrationServer } from './migration/destination/serve.ts';
import type { ServeMigrationsOptions } from './migration/destination/serve-options.ts';
import {
  type ListedMigration,
  type ListMigrationsOptions,
  listMigrations,
} from './migration/journal/list-migrations.ts';
import { Migration } from './migration/source/migrate.ts';
import type { MigrateOptions } from './migration/source/migrate-options.ts';
import {
  type MigrationResolution,
  type ResolveMigrationOptions,
  resolveMigration,
  type UnresolvedMigrationsOptions,
  unresolvedMigrations,
} from './migration/source/resolve.ts';
import { type AttachedProcess, attach } from './operations/attach.ts';
import { type CheckOptions, check, checkAll } from './operations/check.ts';
import type { Client } from './operations/client.ts';
import { type CpuinfoOptions, cpuinfo } from './operations/cpuinfo.ts';
import { type DumpOptions, type DumpResult, dump, type PreDumpOptions } from './operations/dump.ts';
import type { CriuVersion } from './operations/known-versions.ts';
import { PageServer, type PageServerStartOptions } from './operations/page-server.ts';
import {
  type CriuFeatures,
  features,
  requireSupport,
  socketRefusal,
  version,
} from './operations/probe.ts';
import { type RestoreOptions, restore } from './operations/restore.ts';
import type { RestoredProcess } from './operations/restored-process.ts';
import { assertOwnCriu, assertServiceSupports, INHERITS } from './operations/service-limits.ts';
import { CriuSession, type SessionOptions } from './operations/session.ts';
import { checkOptions, checkValue, readOptions, type Shape } from './options/check.ts';
import { flag, integer, text } from './options/kinds.ts';
import { defaultOptions } from './options/translate.ts';
import type { CriuOpts, OperationOptions } from './options/types.ts';
import { lazyDump } from './postcopy/lazy-dump.ts';
import type { LazyDumpOptions } from './postcopy/lazy-dump-options.ts';
import type { LazyPages, LazyPagesOptions } from './postcopy/lazy-pages.ts';
import { startLazyPages } from './postcopy/lazy-pages-start.ts';
import {
  type LazyRestored,
  type LazyRestoreOptions,
  lazyRestore,
} from './postcopy/lazy-restore.ts';
import type { LazySource } from './postcopy/lazy-source.ts';
import { incrementalDump, incrementalPreDump } from './precopy/incremental-dump.ts';
import { iterate } from './precopy/iterate.ts';
import type { IterateOptions } from './precopy/iterate-options.ts';
import type { Iteration } from './precopy/iteration.ts';
import { explainRestore } from './preflight/after-failure.ts';
import type { Host } from './preflight/host.ts';
import type { PreflightOptions } from './preflight/options.ts';
import { preflight } from './preflight/preflight.ts';
import type { PreflightRestoreOptions } from './preflight/restore/options.ts';
import { preflightRestore } from './preflight/restore/preflight-restore.ts';
import { type DumpStream, dumpStream } from './stream/dump-stream.ts';
import type { StreamSource } from './stream/receive-stream.ts';
import { restoreStream } from './stream/restore-stream.ts';
import {
  type DumpStreamOptions,
  type RestoreStreamOptions,
  readDecodeOptions,
} from './stream/stream-options.ts';
import { locate } from './worker/endpoint.ts';
import { type KernelCache, keepKernelCache, kernelCache } from './worker/kernel-cache.ts';
import { Pool } from './worker/pool.ts';

/** The largest pool: a larger one would be a mistake. */
const MAX_PREWARM = 64;

/** Options of a {@link Criu}. */
export interface CriuClientOptions {
  /** The criu binary: a path, or a name to look up on PATH. Default: `CRIU_PATH`, else `criu`. */
  path?: string;
  /**
   * The socket of a running `criu service`, such as `/run/criu_service.socket`, to use instead of a
   * binary: for callers without privileges. CRIU then runs with the privileges, the environment and
   * the umask of the service. Excludes `path` and `prewarm`. Source: criu(8) service.
   */
  socket?: string;
  /** Options for every operation that takes them; the options of an operation override them. */
  defaults?: Partial<CriuOpts>;
  /**
   * How many private `criu service` processes to start, so that an operation need not wait until criu has
   * started: 0 (default) to 64. Each serves one operation at a time, and forks a criu for it that is initialised
   * already; nobody else can connect to it. They keep the environment and the working directory that they were
   * started with. Operations start a criu of their own while all services are busy, if CRIU's default configuration
   * files exist, which a service ignores, and for sessions, iterations, page servers, lazy dumps, `inheritFd`, a
   * descriptor in `pageServer`, `asChild`, `shellJob`, `execCmd` and `logToStderr`. A service that dies is replaced,
   * after a growing delay if that happens again. Services do not keep Node running, end with {@link Criu.close},
   * and end with this process. They need the privileges of a dump. Source: criu(8) service.
   */
  prewarm?: number;
  /**
   * Keep what CRIU finds out about the kernel, where CRIU does not: unless /run is a tmpfs, each criu examines
   * the kernel anew, which takes 30 to 40 ms. The first operation then puts a file into /dev/.criu, which only
   * root can read, and links to it as /run/criu.kdat, for all programs that use this CRIU until the next boot. A
   * file that others have put there stays. It needs root and unshare(1); if the file cannot be made,
   * there is a process warning. Excludes `socket`. Default false. See {@link Criu.keepKernelCache}.
   */
  kernelCache?: boolean;
}

const clientOptions = (): Shape<CriuClientOptions> => ({
  path: text,
  socket: text,
  defaults: defaultOptions,
  prewarm: integer(0, MAX_PREWARM),
  kernelCache: flag,
});

/** Why lazy pages need a binary. */
const DAEMON = 'the lazy-pages daemon is a command of the criu binary';

/** Why a cache of the kernel's features needs a binary. */
const SERVICE_CACHE = 'the service has examined the kernel when it was started';

/** Options of {@link Criu.checkpoint}: runc's CriuOpts, with `preDump` among them. */
export interface CheckpointOptions extends DumpOptions, Pick<CriuOpts, 'preDump'> {}

/**
 * A client of one criu binary, or of one criu service. Each operation starts a `criu swrk` of its
 * own, and operations do not disturb each other. Failures are {@link CriuError}s; see there for the
 * codes.
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
    const given = checkOptions('new Criu', options, clientOptions());
    const { path, socket, defaults = {}, prewarm = 0, kernelCache } = given;
    for (const option of ['path', 'prewarm', 'kernelCache'] as const) {
      if (socket === undefined || given[option] === undefined) continue;
      throw invalid('new Criu', option, 'no value beside socket', given[option]);
    }
    const pool = prewarm > 0 ? new Pool(prewarm) : undefined;
    this.#client = { path, socket, defaults, pool, kernelCache };
    // If there is no such criu, the first operation reports it.
    if (pool)
      locate('new Criu', this.#client).then(
        (endpoint) => pool.start(endpoint),
        () => {},
      );
  }

  /** Asks CRIU for its version. Source: RPC request VERSION, CRIU 3.0. */
  async version(options: OperationOptions = {}): Promise<CriuVersion> {
    const given = this.#begin('version', options);
    return await traceOperation({ operation: 'version' }, () => version(this.#client, given));
  }

  /**
   * Finds the criu binary that the operations start: its absolute path.
   * @throws CriuError ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION, ERR_CRIU_INVALID_ARGUMENT over a criu service
   */
  async binary(): Promise<string> {
    this.#begin('binary', {});
    assertOwnCriu(this.#client, 'binary', 'a service has the criu, not this process');
    return (await locate('binary', this.#client)).path;
  }

  /**
   * Asks CRIU what this kernel supports. A feature that this CRIU does not know is false. Source:
   * RPC request FEATURE_CHECK, CRIU 3.0.
   */
  async features(options: OperationOptions = {}): Promise<CriuFeatures> {
    const given = this.#begin('features', options);
    return await traceOperation({ operation: 'features' }, () => features(this.#client, given));
  }

  /**
   * Checks that the kernel has what every dump and restore needs, and that this CRIU can dump sockets on it. Source:
   * RPC request CHECK, criu(8) check.
   * @throws CriuError ERR_CRIU_FAILED with what is missing; ERR_CRIU_TOO_OLD for this kernel
   */
  async check(options: CheckOptions = {}): Promise<void> {
    const given = this.#begin('check', options);
    await traceOperation({ operation: 'check' }, () => checkAll(this.#client, given));
  }

  /**
   * Whether CRIU finds again what it has found out about the kernel: `kept`, or `missing` if each operation
   * takes 30 to 40 ms longer. Source: `/run/criu.kdat`.
   */
  async kernelCache(): Promise<KernelCache> {
    this.#begin('kernelCache', {});
    assertOwnCriu(this.#client, 'kernelCache', SERVICE_CACHE);
    return await kernelCache();
  }

  /**
   * Keeps what CRIU finds out about the kernel, as the client option `kernelCache` does at the first
   * operation. Idempotent.
   * @throws CriuError ERR_CRIU_SYSTEM if it cannot be kept, ERR_CRIU_UNSUPPORTED over a criu service
   */
  async keepKernelCache(): Promise<void> {
    this.#begin('keepKernelCache', {});
    assertOwnCriu(this.#client, 'keepKernelCache', SERVICE_CACHE);
    await keepKernelCache('keepKernelCache', await locate('keepKernelCache', this.#client));
  }

  /**
   * Freezes a process tree and writes it to disk. Afterwards the processes are killed, or run on
   * with `leaveRunning`. If the dump fails they run on, and only its log stays.
   *
   * The images are written to a directory beside `imagesDirectory`, or in it, and moved into place once
   * they are complete and on the disk: `inventory.img` last, or the whole directory in one step if it
   * replaces a checkpoint. CRIU writes directly into `imagesDirectory` if that is a descriptor, with
   * `pageServer`, `parentImage` or `stream`, for pre-dumps and iterations, and if a process dumps itself;
   * `durable` says which of these are on the disk. With `parentImage`, on a kernel that does not track changed
   * memory, the library finds what has changed: see there. Source: RPC request DUMP, criu(8) dump.
   * @param pid the root of the tree
   * @throws CriuError whose `workload` is the state of the processes; ERR_CRIU_INVALID_ARGUMENT if
   * `imagesDirectory` holds a checkpoint and `overwrite` is not true; ERR_CRIU_PREFLIGHT for a tree that
   * could not be restored, unless `force` is true; ERR_CRIU_BAD_IMAGE, ERR_CRIU_NO_LAZY_PAGES if the memory
   * cannot be compared with `parentImage`
   */
  async dump(pid: number, options: DumpOptions): Promise<DumpResult> {
    const given = this.#begin('dump', options);
    const { defaults } = this.#client;
    const parentImage = given.parentImage ?? defaults.parentImage;
    const trackMem = given.trackMem ?? defaults.trackMem;
    return await traceOperation({ operation: 'dump', pid }, () =>
      // A dump without a parent does not load the part of the library that compares memory.
      parentImage === undefined && !trackMem
        ? dump(this.#client, 'dump', pid, given)
        : incrementalDump(this.#client, pid, given),
    );
  }

  /**
   * Copies the memory of a running process tree to disk, as one round of an iterative dump: without what `parentImage`
   * has already. The processes stop only until CRIU has collected their pages. Where the kernel does not track changed
   * memory, the library reads it, and compares it with the parent images: the processes do not stop, no hooks are
   * called, there is no log, and the directory must have no images. Source: RPC request SINGLE_PRE_DUMP, criu(8)
   * pre-dump, CRIU 3.17.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_MEM_TRACK from a criu service, if the kernel does not track changed memory
   */
  async preDump(pid: number, options: PreDumpOptions): Promise<DumpResult> {
    const given = this.#begin('preDump', options);
    return await traceOperation({ operation: 'preDump', pid }, () =>
      incrementalPreDump(this.#client, pid, given),
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
   * Starts an iterative dump: rounds of pre-dumps while the processes run, then a dump that freezes
   * them only to copy what has changed since the last round. The processes are not touched yet.
   * Unless `preflight` is false, a preflight first looks for what would make the dump fail. Source:
   * RPC request PRE_DUMP, criu(8) pre-dump. Where the kernel does not track changed memory, the library
   * compares it, and only the final dump is CRIU's: see `tracking`.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_MEM_TRACK, ERR_CRIU_NO_LAZY_PAGES if the kernel lacks what the way of
   * tracking needs, ERR_CRIU_PREFLIGHT if the dump would fail
   */
  async iterate(pid: number, options: IterateOptions): Promise<Iteration> {
    const given = this.#begin('iterate', options);
    if (given.lazyPages) assertOwnCriu(this.#client, 'iterate', `lazyPages: ${INHERITS}`);
    if (given.tracking === 'compare') {
      assertOwnCriu(this.#client, 'iterate', `tracking: ${INHERITS}`);
    }
    assertServiceSupports(this.#client, 'iterate', given as CriuOpts);
    const iteration = await traceOperation({ operation: 'iterate', pid }, () =>
      iterate(this.#client, pid, given),
    );
    return await this.#hold('iterate', iteration, iteration.exited);
  }

  /**
   * Reports what would make a dump of a process tree with these options fail, or a restore after it;
   * errors come first. Resolves with an empty array if there is nothing. It only reads: no process
   * is stopped.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_SUCH_PROCESS
   */
  async preflight(pid: number, options: PreflightOptions = {}): Promise<PreflightFinding[]> {
    return await this.#preflight(this.#client, pid, this.#begin('preflight', options));
  }

  async #preflight(
    client: Client,
    pid: number,
    options: PreflightOptions,
  ): Promise<PreflightFinding[]> {
    return await traceOperation({ operation: 'preflight', pid }, () =>
      preflight(client, pid, options, this.#host('preflight')),
    );
  }

  /**
   * Opens a handle of a process that somebody else started: its exit can be awaited, it can be signalled, and it
   * knows what a dump and a restore need to be told of the descriptors that lead outside its tree. It only reads:
   * the process is not stopped, and goes on when this process ends.
   * @param pid the root of the tree
   * @throws CriuError ERR_CRIU_NO_SUCH_PROCESS
   */
  async attach(pid: number, options: OperationOptions = {}): Promise<AttachedProcess> {
    const given = this.#begin('attach', options);
    return await traceOperation({ operation: 'attach', pid }, () => attach(pid, given));
  }

  /**
   * Reports what would make a restore of images with these options fail on this host, or what the
   * restored processes would lose; errors come first. Resolves with an empty array if there is nothing.
   * It only reads.
   * @throws CriuError ERR_CRIU_BAD_IMAGE if `imagesDirectory` holds no checkpoint
   */
  async preflightRestore(options: PreflightRestoreOptions): Promise<PreflightFinding[]> {
    const given = this.#begin('preflightRestore', options);
    return await traceOperation({ operation: 'preflightRestore' }, () =>
      preflightRestore(this.#client, given, {
        ...this.#host('preflightRestore'),
        cpuinfoCheck: (limits) => this.cpuinfoCheck(limits),
      }),
    );
  }

  /** What a preflight asks criu. */
  #host(operation: string): Exclude<Host, 'known'> {
    return {
      requireSupport: (endpoint, needs, cancellation) =>
        requireSupport(operation, endpoint, needs, cancellation),
      check: (limits) => check(this.#client, limits),
      socketRefusal,
    };
  }

  /**
   * Restores a dumped process tree, with its pids. Source: RPC request RESTORE, criu(8) restore.
   * @throws CriuError ERR_CRIU_PID_BUSY if one of the pids is in use
   */
  async restore(options: RestoreOptions): Promise<RestoredProcess> {
    const given = this.#begin('restore', options);
    return await traceOperation({ operation: 'restore' }, async () => {
      try {
        return await restore(this.#client, given);
      } catch (error) {
        throw await explainRestore(error, this.#client, given);
      }
    });
  }

  /**
   * Freezes a process tree and writes it into a stream instead of a directory: a tar archive, with a manifest
   * at its end. No image touches a disk. The processes stay frozen until the stream has been read to its end
   * and `confirm`, if given, has resolved. They are then killed, or run on with `leaveRunning`; if the stream is
   * destroyed before, the dump is rolled back and they run on. Resolves when CRIU is about to begin; what fails
   * later destroys the stream and rejects its `result`. Source: criu(8) --stream, CRIU 4.3.
   * @param pid the root of the tree
   * @throws CriuError as {@link Criu.dump} does; ERR_CRIU_TOO_OLD before CRIU 4.3
   */
  async dumpStream(pid: number, options: DumpStreamOptions = {}): Promise<DumpStream> {
    const given = this.#begin('dumpStream', options);
    return await traceOperation({ operation: 'dumpStream', pid }, () =>
      dumpStream(this.#client, pid, given),
    );
  }

  /**
   * Restores a dumped process tree, with its pids, from what {@link Criu.dumpStream} has written. The stream is
   * read into memory to its end, and verified, before CRIU starts. Source: criu(8) --stream, CRIU 4.3.
   * @param source a Readable, a ReadableStream, or another source of bytes
   * @throws CriuError ERR_CRIU_BAD_IMAGE if the stream is truncated, damaged, encrypted with another key, or takes
   * more than `maxBytes`: nothing was started; ERR_CRIU_TOO_OLD before CRIU 4.3; as {@link Criu.restore} does
   */
  async restoreStream(
    source: StreamSource,
    options: RestoreStreamOptions = {},
  ): Promise<RestoredProcess> {
    const given = this.#begin('restoreStream', options);
    return await traceOperation({ operation: 'restoreStream' }, () =>
      restoreStream(this.#client, source, given),
    );
  }

  /**
   * Freezes a process tree, writes its images without most of the memory, and serves that memory to
   * one destination, where the processes run before all of it has arrived. Resolves when the source
   * accepts the destination; {@link LazySource.done} resolves when the destination has what it needs
   * and the original has ended. Without TLS the source listens on loopback addresses only, unless
   * `insecure` is true. Source: RPC request DUMP with `lazy_pages`, criu(8) dump --lazy-pages, CRIU
   * 3.15.
   * @param pid the root of the tree
   * @throws CriuError as {@link Criu.dump} does; ERR_CRIU_NO_LAZY_PAGES if the kernel lacks
   * userfaultfd, or CRIU cannot create pipes that are large enough
   */
  async lazyDump(pid: number, options: LazyDumpOptions): Promise<LazySource> {
    const given = this.#begin('lazyDump', options);
    assertOwnCriu(this.#client, 'lazyDump', INHERITS);
    const source = await traceOperation({ operation: 'lazyDump', pid }, () =>
      lazyDump(this.#client, pid, given),
    );
    const ended = source.done.catch(() => {});
    return await this.#hold('lazyDump', source, ended);
  }

  /**
   * Starts the daemon that gives a restore with `lazyPages` its memory, from the images or, with
   * `pageServer`, from a lazy dump. {@link Criu.lazyRestore} starts the daemon and restores.
   * Source: criu(8) lazy-pages, CRIU 3.5.
   * @throws CriuError ERR_CRIU_NO_LAZY_PAGES if the kernel lacks userfaultfd
   */
  async lazyPages(options: LazyPagesOptions): Promise<LazyPages> {
    const given = this.#begin('lazyPages', options);
    assertOwnCriu(this.#client, 'lazyPages', DAEMON);
    const daemon = await traceOperation({ operation: 'lazyPages' }, () =>
      startLazyPages(this.#client, given),
    );
    return await this.#hold('lazyPages', daemon, daemon.exited);
  }

  /**
   * Restores a dumped process tree before its memory: the processes run at once, and get each page
   * when they touch it, or else in the background; from the images or, with `pageServer`, from a
   * lazy dump. If the rest of the memory does not arrive, the processes are killed.
   * Source: criu(8) restore --lazy-pages and lazy-pages, CRIU 3.5.
   * @throws CriuError as {@link Criu.restore} does, ERR_CRIU_LAZY_PAGES if the daemon fails first
   */
  async lazyRestore(options: LazyRestoreOptions): Promise<LazyRestored> {
    const given = this.#begin('lazyRestore', options);
    assertOwnCriu(this.#client, 'lazyRestore', DAEMON);
    return await traceOperation({ operation: 'lazyRestore' }, async () => {
      try {
        return await lazyRestore(this.#client, given);
      } catch (error) {
        const { pageServer, insecure, tls, ...forRestore } = given;
        throw await explainRestore(error, this.#client, forRestore);
      }
    });
  }

  /**
   * Writes a description of this host's processor, to compare with another host. Source: RPC
   * request CPUINFO_DUMP, criu(8) cpuinfo dump.
   */
  async cpuinfoDump(options: CpuinfoOptions): Promise<void> {
    const given = this.#begin('cpuinfoDump', options);
    await traceOperation({ operation: 'cpuinfoDump' }, () =>
      cpuinfo(this.#client, 'cpuinfoDump', given),
    );
  }

  /**
   * Compares this host's processor with the description in the images directory, and resolves if
   * what was dumped there can run here. Source: RPC request CPUINFO_CHECK, criu(8) cpuinfo check.
   * @throws CriuError ERR_CRIU_FAILED if it cannot
   */
  async cpuinfoCheck(options: CpuinfoOptions): Promise<void> {
    const given = this.#begin('cpuinfoCheck', options);
    await traceOperation({ operation: 'cpuinfoCheck' }, () =>
      cpuinfo(this.#client, 'cpuinfoCheck', given),
    );
  }

  /**
   * Starts a page server. By default it listens on 127.0.0.1 and a free port. Source: RPC requests
   * PAGE_SERVER_CHLD and WAIT_PID, criu(8) page-server, CRIU 3.7.
   */
  async pageServer(options: PageServerStartOptions): Promise<PageServer> {
    const given = this.#begin('pageServer', options);
    const server = await traceOperation({ operation: 'pageServer' }, () =>
      PageServer.start(this.#client, given),
    );
    return await this.#hold('pageServer', server, server.exited);
  }

  /**
   * Opens a session, which takes CRIU's own messages: for requests that no other method makes.
   * `signal` and `deadlineMs` apply to the session as a whole.
   */
  async session(options: SessionOptions = {}): Promise<CriuSession> {
    const given = this.#begin('session', options);
    const session = await traceOperation({ operation: 'session' }, () =>
      CriuSession.open(this.#client, given),
    );
    return await this.#hold('session', session, session.exited);
  }

  /**
   * Starts a program in pid and mount namespaces of its own, waits until it is ready, and makes a checkpoint of it, of
   * which any number of copies can run side by side: see {@link Template.start}. The program sees the root
   * directory of the host, and of its other mounts those that it needs: see `mounts`. Needs root.
   * @param file a path, or a name to look up on PATH
   * @param args the arguments, without the name of the program
   * @throws CriuError as {@link spawnCheckpointable} and {@link Criu.dump} do; ERR_CRIU_PROGRAM_ENDED, with the end of
   * its standard error, if the program ends before it is ready; ERR_CRIU_TIMEOUT if it is not ready in time
   */
  async template(
    file: string,
    args: readonly string[],
    options: TemplateOptions,
  ): Promise<Template> {
    const given = this.#begin('template', options);
    assertOwnCriu(this.#client, 'template', INHERITS);
    return await traceOperation({ operation: 'template' }, () =>
      createTemplate(this.#client, file, args, given),
    );
  }

  /**
   * Opens a template that {@link Criu.template} has made, in this process or another. One that is encrypted is decrypted
   * into memory, until {@link Template.close}; that needs root.
   * @throws CriuError ERR_CRIU_BAD_IMAGE if the directory holds no template, a damaged one, or one with another key;
   * ERR_CRIU_INVALID_ARGUMENT if the template is encrypted and no secret of that kind is given, or the reverse;
   * ERR_CRIU_NO_PERMISSION
   */
  async openTemplate(
    imagesDirectory: string,
    options: OpenTemplateOptions = {},
  ): Promise<Template> {
    this.#assertOpen('openTemplate');
    checkValue('openTemplate', 'imagesDirectory', text, imagesDirectory);
    const { encryption } = readDecodeOptions('openTemplate', options);
    return await Template.open('openTemplate', this.#client, imagesDirectory, encryption);
  }

  /**
   * Migrates a copy of a template to another host, whose server has the options of {@link copyDestination}: see
   * {@link Criu.migrate}. It need not be one that this process has started, and the process that did may have ended. Its
   * connection to that process ends, as if that process had ended, and so do its published ports. What can be moved is a copy
   * in the network of the host whose output is ignored, and that has no files in its /dev/shm.
   * @param pid the init of the copy, as {@link TemplateCopy.pid} has it
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
   */
  async migrateCopy(pid: number, options: MigrateOptions): Promise<Migration> {
    this.#assertOpen('migrateCopy');
    return this.migrate(pid, await copyMigration(pid, options));
  }

  /**
   * Moves a process tree to another host while it runs, including its TCP connections if the dump has
   * `tcpEstablished` and `switchOver` moves the address. If the migration fails before the destination
   * lets the copy run, the original runs on. The client's default options apply to the dump, except
   * those that the migration sets itself.
   *
   * @example
   * ```ts
   * const to = { host: '192.0.2.2', port: 7000 };
   * const migration = criu.migrate(pid, { to, tls, dump: { tcpEstablished: true } });
   * for await (const { phase, bytes } of migration) console.log(phase, bytes);
   * const { downtimeMs } = await migration.result;
   * ```
   * @param pid the root of the tree
   */
  migrate(pid: number, options: MigrateOptions): Migration {
    this.#assertOpen('migrate');
    assertOwnCriu(this.#client, 'migrate', INHERITS);
    const migration = new Migration(pid, options, {
      ...{ operations: this, client: this.#client },
      preflight: (root, given) => this.#preflight({ ...this.#client, defaults: {} }, root, given),
    });
    this.#held.add(migration);
    const forget = () => this.#held.delete(migration);
    migration.result.then(forget, forget);
    return migration;
  }

  /**
   * Starts a server that receives process trees that other hosts {@link Criu.migrate}. First it
   * finishes what an earlier server in the same directory has left unfinished. The client's default
   * options apply to the restores, except those that the migration sets itself.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_SYSTEM if it cannot listen
   */
  async serveMigrations(options: ServeMigrationsOptions): Promise<MigrationServer> {
    this.#assertOpen('serveMigrations');
    assertOwnCriu(this.#client, 'serveMigrations', INHERITS);
    const parts = { operations: this, client: this.#client };
    const server = await startMigrationServer(options, parts);
    return await this.#hold('serveMigrations', server, server.closed);
  }

  /**
   * Finishes a migration from this host whose agent has died, or whose destination did not answer:
   * asks the destination who owns the workload, and resumes or ends the original. Can be repeated at
   * any time.
   * @param id {@link Migration.id}
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if there is no such migration, or it is under way
   */
  async resolveMigration(
    id: string,
    options: ResolveMigrationOptions = {},
  ): Promise<MigrationResolution> {
    this.#assertOpen('resolveMigration');
    return await resolveMigration(id, options);
  }

  /**
   * The ids of the migrations from this host that {@link Criu.resolveMigration} has to finish.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
   */
  async unresolvedMigrations(options: UnresolvedMigrationsOptions = {}): Promise<string[]> {
    this.#assertOpen('unresolvedMigrations');
    return await unresolvedMigrations(options);
  }

  /**
   * The migrations from and to this host that are in flight or unresolved, by the journals in a directory.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
   */
  async listMigrations(options: ListMigrationsOptions = {}): Promise<ListedMigration[]> {
    this.#assertOpen('listMigrations');
    return await listMigrations(options);
  }

  /**
   * Ends what this client has opened: page servers, sessions, iterations, lazy sources, lazy-pages
   * daemons, migrations and migration servers. Other operations under way finish, and new ones are
   * refused with ERR_CRIU_CLOSED. Idempotent.
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

  /** Refuses an operation of a closed client, and copies its options. */
  #begin<T extends object>(operation: string, options: T): T {
    this.#assertOpen(operation);
    return readOptions(operation, options);
  }

  #assertOpen(operation: string): void {
    if (!this.#closed) return;
    throw new CriuError('ERR_CRIU_CLOSED', `${operation}: this client is closed`, { operation });
  }

  /** Keeps what {@link close} has to end, until it has ended by itself. */
  async #hold<T extends AsyncDisposable>(
    operation: string,
    held: T,
    ended: Promise<unknown>,
  ): Promise<T> {
    this.#held.add(held);
    ended.then(() => this.#held.delete(held));
    // The client may have been closed in the meantime.
    if (this.#closed) await held[Symbol.asyncDispose]();
    this.#assertOpen(operation);
    return held;
  }
}
