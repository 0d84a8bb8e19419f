import { Cleanup } from '../cleanup/cleanup.ts';
import { CriuError, type CriuLog, invalid } from '../errors.ts';
import { type AbortReason, notPermitted } from '../failure/cause.ts';
import { lazyStats } from '../images/lazy-stats.ts';
import { type DumpStats, readDumpStats } from '../images/stats.ts';
import { withConfigFiles } from '../options/config-file.ts';
import type { OptionOf } from '../options/table.ts';
import { withDefaults } from '../options/translate.ts';
import type { CriuOpts, Hooks, OperationOptions } from '../options/types.ts';
import { explain } from '../preflight/after-failure.ts';
import { frozenCgroupOf } from '../procfs/cgroup.ts';
import { stateOf } from '../procfs/stat.ts';
import { tracerOf } from '../procfs/tracer.ts';
import type { WorkerSession } from '../worker/worker-session.ts';
import type { Client } from './client.ts';
import { type Job, perform } from './run.ts';

/** Options of {@link Criu.dump}. `imagesDirectory` is required. */
export interface DumpOptions extends Pick<CriuOpts, OptionOf<'dump'>>, OperationOptions {
  /** Functions to call at CRIU's steps. */
  hooks?: Hooks;
  /**
   * With `lazyPages`: to serve memory at a `pageServer` address that others can reach without TLS.
   * Whoever connects there first gets it.
   */
  insecure?: boolean;
}

/** Options of {@link Criu.preDump}. `imagesDirectory` is required. */
export interface PreDumpOptions extends Pick<CriuOpts, OptionOf<'preDump'>>, OperationOptions {
  /** Functions to call at CRIU's steps. */
  hooks?: Hooks;
}

/** How a dump or pre-dump went. */
export interface DumpResult {
  /** The root of the tree. */
  readonly pid: number;
  /** Where the images are. */
  readonly imagesDirectory: string;
  /** What CRIU measured. */
  readonly stats: DumpStats;
  /** CRIU's log. */
  readonly log: CriuLog | undefined;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;
}

/** The round of an iteration that a dump is. */
export interface RoundContext {
  /** The name of the round in error messages. */
  readonly name: string;
  /** The criu of the iteration. */
  readonly workerSession: WorkerSession;
}

/** A connection on which criu serves the pages of a lazy dump. */
export interface ServeCommand {
  /** Descriptors for criu: `[number there, number here]`. */
  readonly inherited: readonly (readonly [number, number])[];
  /** Which of them the connection is, there. */
  readonly socket: number;
  /** Resolves if criu was told to end and takes too long for that: it is killed then. */
  readonly forceKill: Promise<void>;
  /** Called once criu has ended without success; tells why, if that is known. */
  failed(): Promise<AbortReason | undefined>;
}

/** Does a dump or a pre-dump, by itself or as a round of an iteration. */
export async function dump(
  client: Client,
  operation: 'dump' | 'preDump',
  pid: number,
  options: DumpOptions | PreDumpOptions,
  round?: RoundContext,
  serving?: ServeCommand,
): Promise<DumpResult> {
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) {
    throw invalid(operation, 'pid', 'a positive integer', pid);
  }
  const label = `${operation} of process ${pid}${round ? `, ${round.name}` : ''}`;
  const before = stateOf(pid);
  let frozenAt: number | undefined;
  // Nothing is checked yet, and the elements of an array might be anything.
  const { external: _, ...own } = withDefaults(operation, options, client.defaults);
  const effective = await withConfigFiles(own);
  using cleanup = await Cleanup.of(pid, effective);
  const collectEvidence: Job['collectEvidence'] = async ({ replied, stderr, session }, log) => {
    // Without a reply CRIU has not rolled back, and from serving pages it does so by halves.
    const leftovers =
      replied && !cleanup.served
        ? undefined
        : await cleanup.rollBack(session, `${await log.beginning()}${stderr}`);
    const abortReason = await serving?.failed();
    const tracer = await tracerOf(pid);
    const state = stateOf(pid);
    const isDumped = tracer?.by === 'tracer' && tracer.name === 'criu' && state !== 'gone';
    // CRIU says the same of a zombie.
    const warning = notPermitted(pid);
    const refused = before !== 'gone' && (stderr.includes(warning) || (await log.says(warning)));
    // To be dumped by another the process may have to run, but only CRIU's code.
    const isStopped = isDumped || (cleanup.frozen && state === 'running');
    const workload = isStopped ? 'stopped' : state;
    return { pid, workload, tracer, refused, abortReason, leftovers };
  };
  const preDump = round ? 'PRE_DUMP' : 'SINGLE_PRE_DUMP';
  const type = operation === 'dump' ? 'DUMP' : preDump;
  const job: Job<DumpStats> = {
    operation,
    label,
    type,
    pid,
    workerSession: round?.workerSession,
    ...(serving && {
      inherited: serving.inherited,
      config: [`ps-socket ${serving.socket}`],
      forceKill: serving.forceKill,
    }),
    observed: (notification, now) => {
      if (notification.script === 'query-ext-files') frozenAt ??= performance.now();
      cleanup.observed(notification, now);
    },
    logLevel: cleanup.logLevel,
    collectEvidence,
    readStats: readDumpStats,
  };
  try {
    refuseFrozen(operation, pid, effective.freezeCgroup);
    const { imagesDirectory, stats, log, durationMs } = await perform(client, job, options);
    const result = { pid, imagesDirectory, stats, log, durationMs };
    if (!cleanup.served) return result;
    const frozenTimeMs = performance.now() - (frozenAt ?? performance.now());
    const all = await lazyStats(operation, stats, imagesDirectory, frozenTimeMs);
    return { ...result, stats: all };
  } catch (error) {
    throw await explain(error, client, pid, { ...options, preDump: operation === 'preDump' });
  }
}

/** CRIU would wait for a frozen process forever; and then to kill criu would kill the process. */
function refuseFrozen(operation: string, pid: number, freezeCgroup: string | undefined): void {
  const frozen = freezeCgroup === undefined ? frozenCgroupOf(pid) : undefined;
  if (frozen === undefined) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: process ${pid} is in the frozen cgroup ${frozen}: thaw it, or name it by freezeCgroup`,
    { operation, option: 'freezeCgroup', pid, workload: 'stopped' },
  );
}
