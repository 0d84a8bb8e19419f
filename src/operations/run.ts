import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError, type CriuLog, invalid, unknownOption } from '../errors.ts';
import type { Evidence } from '../failure/cause.ts';
import { LogFile } from '../failure/log.ts';
import { checkOptions } from '../options/check.ts';
import { readConfigFile } from '../options/config-file.ts';
import { operationOptions } from '../options/operation-options.ts';
import { writeOwnConfig } from '../options/own-config.ts';
import { handOver } from '../options/page-connection.ts';
import { refuseOpenNetwork } from '../options/reach.ts';
import { OLDEST_CRIU, type Requested } from '../options/table.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { CriuOpts } from '../options/types.ts';
import { callHooks } from '../protocol/hooks.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import type { Notified, Observed } from '../protocol/session.ts';
import { locate } from '../worker/binary.ts';
import type { WorkerSession } from '../worker/worker-session.ts';
import type { Client, GivenOptions } from './client.ts';
import { openDirectory } from './directories.ts';
import { requireSupport } from './probe.ts';
import { type Call, call, type Ending } from './request.ts';
import { openStatusFd } from './status-fd.ts';

/** An operation that takes options. */
export interface Job<Stats = undefined> {
  readonly operation: Requested;
  /** The operation and its object, as `dump of process 12`. */
  readonly label: string;
  readonly type: CriuRequest['type'];
  readonly pid?: number;
  /** The criu to ask; without it one is started. */
  readonly workerSession?: WorkerSession | undefined;
  readonly observed?: Observed;
  /** Descriptors for criu besides those of the options: `[number there, number here]`. */
  readonly inherited?: Call['inherited'];
  /** Lines of a configuration file. */
  readonly config?: readonly string[];
  /** The level of CRIU's log, if the caller does not choose one. */
  readonly logLevel?: number | undefined;
  /** See {@link Call}. */
  readonly forceKill?: Promise<void> | undefined;
  /** Whether the processes that criu has started are of no use without it. */
  readonly unfinished?: () => boolean;
  /** What an error should tell besides what criu said. */
  readonly collectEvidence?: (
    ending: Ending,
    log: LogFile,
  ) => Promise<
    Pick<Evidence, 'workload' | 'pid' | 'tracer' | 'refused' | 'abortReason' | 'leftovers'>
  >;
  /** Reads what CRIU has measured, in the work directory. */
  readonly readStats?: (directory: string) => Promise<Stats>;
}

/** A request that is ready to be made, with all that belongs to it open. */
export interface Prepared extends Call {
  readonly cancellation: Cancellation;
  readonly imagesDirectory: string;
  /** Where log and statistics are. */
  readonly workDirectory: string;
  readonly log: LogFile;
  /** The caller's own. */
  readonly configFile: string | undefined;
}

/** How an operation that succeeded went. */
export interface Done<Stats = undefined> {
  readonly stats: Stats;
  readonly reply: CriuResponse;
  readonly log: CriuLog | undefined;
  readonly durationMs: number;
  readonly imagesDirectory: string;
  readonly workDirectory: string;
}

interface Traits {
  /** The log file, if the caller names none: as in runc where runc has it. */
  readonly logFile: string;
  /** It writes images, and makes their directory; otherwise they must be there. */
  readonly writes: boolean;
  /** CRIU notifies the caller of its steps. */
  readonly notifies: boolean;
  /** The first CRIU that knows the request, as `version().number`. */
  readonly since: number;
}

const traits: Readonly<Record<Requested, Traits>> = {
  check: { logFile: 'check.log', writes: false, notifies: false, since: OLDEST_CRIU },
  dump: { logFile: 'dump.log', writes: true, notifies: true, since: OLDEST_CRIU },
  preDump: { logFile: 'pre-dump.log', writes: true, notifies: true, since: 31700 },
  restore: { logFile: 'restore.log', writes: false, notifies: true, since: OLDEST_CRIU },
  cpuinfoDump: { logFile: 'cpuinfo-dump.log', writes: true, notifies: false, since: OLDEST_CRIU },
  cpuinfoCheck: {
    logFile: 'cpuinfo-check.log',
    writes: false,
    notifies: false,
    since: OLDEST_CRIU,
  },
  pageServer: { logFile: 'page-server.log', writes: true, notifies: false, since: 30700 },
};

/** Does a job, from the caller's options to the result. */
export async function perform<Stats = undefined>(
  client: Client,
  job: Job<Stats>,
  given: GivenOptions,
): Promise<Done<Stats>> {
  const start = performance.now();
  return await prepare(client, job, given, async (prepared) => {
    const { log, imagesDirectory, workDirectory } = prepared;
    const reply = await call({
      ...prepared,
      collectEvidence: async (ending) => ({
        log: await log.read(),
        hint: hint(prepared),
        ...(await job.collectEvidence?.(ending, log)),
      }),
    });
    const durationMs = performance.now() - start;
    const reading = job.readStats?.(workDirectory).catch(async (cause: CriuError) => {
      throw new CriuError(cause.code, `${job.label} is done, but ${cause.message}`, {
        operation: job.operation,
        cause,
        log: await log.read(),
        ...(await job.collectEvidence?.({ replied: true, killed: false, stderr: '' }, log)),
      });
    });
    const [stats, said] = await Promise.all([reading as Promise<Stats>, log.read()]);
    return { stats, reply, log: said, durationMs, imagesDirectory, workDirectory };
  });
}

/**
 * Checks all that can be checked before criu starts, opens what the request needs for the time of
 * `use`, and closes it again.
 */
export async function prepare<T>(
  client: Client,
  job: Job<unknown>,
  given: GivenOptions,
  use: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { operation, label, type, pid, workerSession, observed, logLevel, unfinished, forceKill } =
    job;
  const { signal, deadlineMs, gracePeriodMs, hooks, insecure, ...own } = given;
  checkOptions(operation, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  using cancellation = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
  const options = withDefaults(operation, own, client.defaults);
  const { wire, inherited, newest } = translate(operation, options);
  const lines = [...(job.config ?? []), ...placeToServe(operation, options, insecure)];
  const { imagesDirectory, workDirectory, statusFd, configFile } = options;
  // From here on it is closed, whatever becomes of the rest.
  await using status = await openStatusFd(operation, statusFd);
  cancellation.throwIfRequested();

  const binary = await locate(operation, client);
  const { logFile, writes, notifies, since } = traits[operation];
  await using ownImages = await openDirectory(
    operation,
    'imagesDirectory',
    imagesDirectory,
    writes,
  );
  await using ownWork = await openDirectory(operation, 'workDirectory', workDirectory, true);
  const images = ownImages ?? ownWork;
  const work = ownWork ?? ownImages;
  if (!images || !work) throw invalid(operation, 'imagesDirectory', 'a directory', undefined);
  const elsewhere = await readConfigFile(operation, configFile);
  await using config =
    lines.length > 0 ? await writeOwnConfig(operation, lines, configFile) : undefined;
  const workPath = elsewhere['work-dir'] ?? work.path;
  const logPath = resolve(workPath, elsewhere['log-file'] ?? wire.log_file ?? logFile);

  // Only now is anything started.
  const needs = {
    // The request of an iteration is as old as CRIU's protocol.
    since: type === 'PRE_DUMP' ? OLDEST_CRIU : since,
    newest,
    memTrack: operation === 'preDump' || wire.track_mem === true,
    lazyPages: wire.lazy_pages === true,
  };
  await requireSupport(operation, binary, needs, cancellation);
  // What a session inherits was handed over at its beginning.
  if (!workerSession) {
    handOver(operation, inherited.find(([number]) => number === wire.ps?.fd)?.[1]);
  }

  const log = await LogFile.at(logPath);
  cancellation.throwIfRequested();
  return await use({
    operation,
    label,
    binary,
    inherited: [...inherited, ...(job.inherited ?? [])],
    workerSession,
    inSession: operation === 'restore' && options.shellJob === true,
    unfinished,
    forceKill,
    detachOnSuccess: options.execCmd !== undefined,
    notified: inTurn(status?.notified, callHooks(hooks ?? {})),
    observed,
    cancellation,
    imagesDirectory: elsewhere['images-dir'] ?? images.path,
    workDirectory: workPath,
    log,
    configFile,
    request: {
      type,
      opts: {
        // With a log file CRIU would not log to standard error.
        ...(!wire.log_to_stderr && { log_file: logFile }),
        // Also what a cancellation works by: CRIU asks before each step, and is refused.
        ...(notifies && { notify_scripts: true }),
        ...(hooks?.orphanPtsMaster && { orphan_pts_master: true }),
        ...(pid !== undefined && { pid }),
        ...(logLevel !== undefined && { log_level: logLevel }),
        ...wire,
        ...(config && { config_file: config.path }),
        images_dir_fd: images.fd,
        work_dir_fd: work.fd,
      },
    },
  });
}

/**
 * Where a lazy dump is to serve: CRIU ignores the address of the request, and would listen on every
 * one, but not that of a configuration file.
 */
function placeToServe(
  operation: string,
  { lazyPages, pageServer, tls }: CriuOpts,
  insecure: boolean | undefined,
): string[] {
  if (insecure !== undefined && operation !== 'dump') throw unknownOption(operation, 'insecure');
  const { address = '127.0.0.1', fd } = pageServer ?? {};
  const served = lazyPages && pageServer && fd === undefined ? address : undefined;
  refuseOpenNetwork(operation, served, tls, insecure);
  return served === undefined ? [] : [`address ${served}`];
}

/** A missing image or connection is not an error in CRIU's log, nor is a wrong configuration file. */
function hint({ request, imagesDirectory, configFile }: Prepared): string | undefined {
  const { type, opts } = request;
  const { address, port } = opts?.ps ?? {};
  const suspects: string[] = [];
  if (!existsSync(imagesDirectory)) suspects.push(`is ${imagesDirectory} gone?`);
  if (type === 'RESTORE' && !opts?.stream && !existsSync(join(imagesDirectory, 'inventory.img'))) {
    suspects.push(`is ${imagesDirectory} the right directory? It has no inventory.img.`);
  }
  if (configFile) suspects.push(`is it the configuration file ${configFile}?`);
  if (address !== undefined && !opts?.lazy_pages) {
    suspects.push(`is there no page server at ${address}:${port}?`);
  }
  return suspects.length === 0 ? undefined : suspects.join(' ');
}

/** Lets several see a notification, one after the other; the last one that answers is heard. */
function inTurn(...all: (Notified | undefined)[]): Notified {
  return async (notification, fds) => {
    let answer: Awaited<ReturnType<Notified>>;
    for (const notified of all) answer = (await notified?.(notification, fds)) ?? answer;
    return answer;
  };
}
