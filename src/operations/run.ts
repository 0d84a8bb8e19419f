import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError, type CriuLog, invalid } from '../errors.ts';
import type { Findings } from '../failure/cause.ts';
import { LogFile } from '../failure/log.ts';
import { formatEndpoint } from '../netlink/ip-address.ts';
import { writeOwnConfig } from '../options/own-config.ts';
import { makeBlocking } from '../options/page-connection.ts';
import { OLDEST_CRIU, type Requested } from '../options/table.ts';
import { type Files, remoteFiles } from '../process/files.ts';
import { callHooks, chainHandlers, refuseToServe } from '../protocol/hooks.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import type { NotificationObserver } from '../protocol/session.ts';
import { locate } from '../worker/endpoint.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import type { Client } from './client.ts';
import type { DumpImages } from './direct-images.ts';
import { openDirectory } from './directories.ts';
import { requireSupport } from './probe.ts';
import { type Call, call, type Ending } from './request.ts';
import type { ResolvedOptions } from './resolve.ts';
import { openStatusFd } from './status-fd.ts';

/** One request with options, the callbacks while criu works, and what to collect afterwards. */
export interface Job<Stats = undefined> {
  readonly request: JobRequest;
  readonly lifecycle?: Lifecycle;
  readonly forensics?: Forensics<Stats>;
}

/** The parts of a request that do not come from the caller's options. */
export interface JobRequest {
  readonly type: CriuRequest['type'];
  /** The operation and its object, for example `dump of process 12`: error messages begin with it. */
  readonly label: string;
  /** The process to dump. */
  readonly pid?: number;
  /** Refuses what cannot succeed, before criu is started. */
  readonly check?: () => void;
  /**
   * Prepares the operation while criu starts, and refuses it if it cannot succeed; makes the directory that
   * images are written to until they are complete, if it needs one.
   */
  readonly stage?: () => Promise<DumpImages | undefined>;
  /** True if the process dumps itself: it cannot answer notifications while it is frozen. */
  readonly isSelfDump?: boolean;
  /** Descriptors that criu inherits besides those of the options: `[number in criu, number here]`. */
  readonly inherited?: Call['inherited'];
  /** Configuration lines for settings that have no working field in the request. */
  readonly config?: readonly string[];
  /** The level of CRIU's log if the caller does not choose one. */
  readonly logLevel?: number | undefined;
}

/** Callbacks and signals that apply while criu works. */
export interface Lifecycle {
  /** The criu to ask; by default one is started for the request. */
  readonly workerSession?: WorkerSession | undefined;
  /** Called for each notification of CRIU. */
  readonly observer?: NotificationObserver;
  /** criu is killed when this resolves. */
  readonly forceKill?: Promise<void>;
  /** True while the processes that criu is restoring cannot survive its death. */
  readonly isHalfRestored?: () => boolean;
}

/** What is done after criu has ended, for an error or for the result. */
export interface Forensics<Stats> {
  /** Collects what an error reports besides the reply, the log and standard error. */
  readonly collectEvidence?: (
    ending: Ending,
    log: LogFile,
    dumpImages: DumpImages | undefined,
  ) => Promise<Findings>;
  /** Cleans up after a criu that has ended with success. */
  readonly afterSuccess?: (ending: Ending, log: LogFile) => Promise<unknown>;
  /** Reads CRIU's statistics from the work directory. */
  readonly readStats?: (directory: string, files: Files) => Promise<Stats>;
}

/** A request that is ready to be sent; the directories and descriptors that it refers to are open. */
export interface Prepared extends Call {
  readonly workerSession: WorkerSession;
  readonly cancellation: Cancellation;
  readonly imagesDirectory: string;
  /** The directory of the log and the statistics. */
  readonly workDirectory: string;
  /** How to make calls on files in the work directory. */
  readonly files: Files;
  /** The images of a dump, if something is to be done once they are complete. */
  readonly dumpImages: DumpImages | undefined;
  readonly log: LogFile;
  /** The caller's own configuration file. */
  readonly configFile: string | undefined;
}

/** The result of an operation that succeeded. */
export interface Done<Stats = undefined> {
  readonly stats: Stats;
  readonly reply: CriuResponse;
  readonly log: CriuLog | undefined;
  readonly imagesDirectory: string;
  readonly workDirectory: string;
  /** When CRIU replied, by performance.now(). */
  readonly repliedAt: number;
}

interface Traits {
  /** The name of the log file if the caller gives none: runc's, where runc has the operation. */
  readonly logFile: string;
  /** True if the operation writes images: it then creates their directory if that is missing. */
  readonly writes: boolean;
  /** True if CRIU sends notifications of its steps. */
  readonly notifies: boolean;
  /** The first CRIU that knows the request, as `version().number`. */
  readonly since: number;
}

const plain: Omit<Traits, 'logFile'> = { writes: false, notifies: false, since: OLDEST_CRIU };
const traits: Readonly<Record<Requested, Traits>> = {
  check: { ...plain, logFile: 'check.log' },
  dump: { ...plain, logFile: 'dump.log', writes: true, notifies: true },
  preDump: { logFile: 'pre-dump.log', writes: true, notifies: true, since: 31700 },
  restore: { ...plain, logFile: 'restore.log', notifies: true },
  cpuinfoDump: { ...plain, logFile: 'cpuinfo-dump.log', writes: true },
  cpuinfoCheck: { ...plain, logFile: 'cpuinfo-check.log' },
  pageServer: { ...plain, logFile: 'page-server.log', writes: true, since: 30700 },
};

/** Sends a request with options, and returns its result. @throws CriuError */
export async function perform<Stats = undefined>(
  client: Client,
  resolved: ResolvedOptions,
  job: Job<Stats>,
): Promise<Done<Stats>> {
  const { collectEvidence, afterSuccess, readStats } = job.forensics ?? {};
  return await prepare(client, resolved, job, async (prepared) => {
    const { operation, label, log, imagesDirectory, workDirectory, files, dumpImages } = prepared;
    let finishing: Promise<Stats | undefined> | undefined;
    let repliedAt = performance.now();
    const reply = await call({
      ...prepared,
      whileExiting(reply) {
        repliedAt = performance.now();
        finishing = finish(reply);
        // Its failure is reported once criu has ended.
        finishing.catch(() => {});
      },
      collectEvidence: async (ending) => ({
        log: await log.read(),
        hint: hint(prepared),
        ...(await collectEvidence?.(ending, log, dumpImages)),
      }),
      onSuccess: async (ending) => await afterSuccess?.(ending, log),
    });
    const failLate = async (cause: CriuError) => {
      throw new CriuError(cause.code, `${label} is done, but ${cause.message}`, {
        operation,
        cause,
        log: await log.read(),
        ...(await collectEvidence?.({ replied: true, killed: false, stderr: '' }, log, dumpImages)),
      });
    };
    const stats = await (finishing ?? finish(reply)).catch(failLate);
    // CRIU may log until it exits.
    const done = { stats: stats as Stats, reply, log: await log.read() };
    return { ...done, imagesDirectory, workDirectory, repliedAt };

    async function finish(reply: CriuResponse): Promise<Stats | undefined> {
      // A restored copy must not touch the images that it was restored from.
      if (!reply.dump?.restored) await dumpImages?.finish();
      return await readStats?.(workDirectory, files);
    }
  });
}

/**
 * Starts criu once the options are valid, and meanwhile checks everything else and opens what the request
 * refers to; closes it again after `use`. If something is refused, criu ends without having been asked.
 */
export async function prepare<T>(
  client: Client,
  resolved: ResolvedOptions,
  job: Job<unknown>,
  use: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { operation, options, configured, translation, hooks, cancellation } = resolved;
  const { wire, inherited, newest } = translation;
  const { type, label, pid, isSelfDump, logLevel, check, stage } = job.request;
  const { workerSession: given, observer, forceKill, isHalfRestored } = job.lifecycle ?? {};
  const { imagesDirectory, workDirectory, statusFd, configFile } = options;
  // From here on statusFd is closed however the operation ends.
  await using status = await openStatusFd(operation, statusFd);
  cancellation.throwIfRequested();

  const endpoint = await locate(operation, client);
  check?.();
  const opening = {
    operation,
    endpoint,
    inherited: [...inherited, ...(job.request.inherited ?? [])],
    inSession: operation === 'restore' && options.shellJob === true,
    enclosure: client.enclosure,
    isHalfRestored,
    // A service has these children itself, or its log.
    mayBePooled: !(
      options.asChild ||
      options.execCmd ||
      options.logToStderr ||
      type === 'PAGE_SERVER_CHLD'
    ),
  };
  // The criu of an existing session inherited its descriptors when it was started.
  if (!given) makeBlocking(operation, inherited.find(([number]) => number === wire.ps?.fd)?.[1]);
  const starting = Promise.resolve(given ?? WorkerSession.open(opening));
  // Its failure is reported once the operation is staged.
  starting.catch(() => {});
  let isReady = false;
  await using _unasked = {
    async [Symbol.asyncDispose]() {
      if (isReady || given) return;
      const unasked = await starting.catch(() => undefined);
      await unasked?.end();
    },
  };
  await using dumpImages = await stage?.();
  const workerSession = await starting;
  const { logFile, writes, notifies, since } = traits[operation];
  const isConfigured = configured.imagesDirectory !== undefined;
  await using ownImages = await openDirectory(
    operation,
    'imagesDirectory',
    imagesDirectory,
    writes,
    isConfigured ? undefined : dumpImages?.files,
  );
  await using ownWork = await openDirectory(operation, 'workDirectory', workDirectory, true);
  const images = ownImages ?? ownWork;
  const work = ownWork ?? ownImages;
  if (!images || !work) throw invalid(operation, 'imagesDirectory', 'a directory', undefined);
  const lines = job.request.config ?? [];
  // The directory in the caller's file would override the one in the request.
  const staged =
    dumpImages && isConfigured ? `/proc/${process.pid}/fd/${dumpImages.fd}` : undefined;
  const overriding = staged === undefined ? [] : [`images-dir ${staged}`];
  await using config =
    lines.length + overriding.length > 0
      ? await writeOwnConfig(operation, lines, configFile, overriding)
      : undefined;
  const workPath = pathIn(configured.workDirectory) ?? work.path;
  const logPath = resolve(workPath, configured.logFile ?? wire.log_file ?? logFile);

  const needs = {
    // PRE_DUMP, the request of an iteration, is older than SINGLE_PRE_DUMP.
    since: type === 'PRE_DUMP' ? OLDEST_CRIU : since,
    newest,
    memTrack: operation === 'preDump' || wire.track_mem === true,
    lazyPages: wire.lazy_pages === true,
  };
  await requireSupport(operation, endpoint, needs, cancellation);
  // A configuration file may name a log elsewhere.
  const isElsewhere = configured.workDirectory !== undefined || configured.logFile !== undefined;
  const files = isElsewhere ? remoteFiles : work.files;
  const log = await LogFile.at(logPath, files);
  cancellation.throwIfRequested();
  isReady = true;
  const imagesPath = pathIn(configured.imagesDirectory) ?? images.path;
  return await use({
    ...opening,
    label,
    workerSession,
    forceKill,
    detachOnSuccess: options.execCmd !== undefined,
    onNotification: refuseToServe(
      chainHandlers(
        status?.onNotification,
        dumpImages?.beforeHooks,
        callHooks(hooks, dumpImages?.directory ?? imagesPath),
        dumpImages?.onNotification,
      ),
    ),
    observer,
    cancellation,
    imagesDirectory: imagesPath,
    workDirectory: workPath,
    files,
    dumpImages,
    log,
    configFile,
    request: {
      type,
      opts: {
        // CRIU does not log to standard error if it is given a log file.
        ...(!wire.log_to_stderr && { log_file: logFile }),
        // An operation is cancelled by refusing the next notification.
        ...(notifies && !isSelfDump && { notify_scripts: true }),
        ...(hooks.orphanPtsMaster && { orphan_pts_master: true }),
        // CRIU dumps the requester if it is given no pid.
        ...(pid !== undefined && !isSelfDump && { pid }),
        ...(logLevel !== undefined && { log_level: logLevel }),
        ...wire,
        ...(config && { config_file: config.path }),
        images_dir_fd: dumpImages?.fd ?? images.fd,
        work_dir_fd: work.fd,
      },
    },
  });
}

/** A directory that a configuration file sets is always a path. */
function pathIn(directory: unknown): string | undefined {
  return typeof directory === 'string' ? directory : undefined;
}

/** Likely causes that CRIU does not log as errors: a missing image, page server or option. */
function hint({ request, imagesDirectory, configFile }: Prepared): string | undefined {
  const { type, opts } = request;
  const { address, port } = opts?.ps ?? {};
  const causes: string[] = [];
  if (!existsSync(imagesDirectory)) causes.push(`is ${imagesDirectory} gone?`);
  if (type === 'RESTORE' && !opts?.stream && !existsSync(join(imagesDirectory, 'inventory.img'))) {
    causes.push(`is ${imagesDirectory} the right directory? It has no inventory.img.`);
  }
  if (configFile) causes.push(`is it the configuration file ${configFile}?`);
  if (address !== undefined && !opts?.lazy_pages) {
    causes.push(
      `is there no page server at ${formatEndpoint({ host: address, port: port ?? 0 })}?`,
    );
  }
  return causes.length === 0 ? undefined : causes.join(' ');
}
