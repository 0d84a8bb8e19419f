import { setTimeout as sleep } from 'node:timers/promises';
import { Cleanup } from '../cleanup/cleanup.ts';
import { ProcDirectory } from '../cleanup/proc-directory.ts';
import { CriuError, type CriuLog, withWorkload } from '../errors.ts';
import { type AbortReason, notPermitted } from '../failure/cause.ts';
import type { LogFile } from '../failure/log.ts';
import type { DumpStats } from '../images/dump-stats.ts';
import { lazyStats } from '../images/lazy-stats.ts';
import { dumpStatsIn } from '../images/stats.ts';
import { checkValue } from '../options/check.ts';
import { type Hooks, hookNames, overrideHooks } from '../options/hooks.ts';
import { directoryPath, pid as pidCheck } from '../options/kinds.ts';
import { assertEncrypted } from '../options/reach.ts';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import { explain } from '../preflight/after-failure.ts';
import { assertRestorable } from '../preflight/restorable.ts';
import { filesIn } from '../process/files.ts';
import { awaitReaped } from '../process/reaping.ts';
import { frozenCgroupOf } from '../procfs/cgroup.ts';
import { KnownProcesses } from '../procfs/known-processes.ts';
import { occupantOf, type PidOccupant } from '../procfs/occupant.ts';
import { programOf } from '../procfs/program.ts';
import { isDying, stateOf } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';
import { tracerOf } from '../procfs/tracer.ts';
import { descendantsOf } from '../procfs/tree.ts';
import type { WorkerSession } from '../worker/worker-session.ts';
import type { Client } from './client.ts';
import type { DescribeImages, DumpImages } from './direct-images.ts';
import { DumpManifest } from './dump-manifest.ts';
import { assertExists } from './existing-process.ts';
import type { CriuVersion } from './known-versions.ts';
import { versionOnce } from './probe.ts';
import { cleanProcDirectory } from './proc-directory-failure.ts';
import type { Ending } from './request.ts';
import { type ResolvedOptions, resolveOptions } from './resolve.ts';
import { type Forensics, type Job, perform } from './run.ts';
import { openDirectImages, stageImages, survivesDump } from './staging.ts';

/** Where criu serves lazy pages by default. */
const LOOPBACK = '127.0.0.1';

/** Options of {@link Criu.dump}. `imagesDirectory` is required. */
export interface DumpOptions extends Pick<CriuOpts, OptionOf<'dump'>>, OperationOptions {
  /** Functions that are called at CRIU's steps. */
  hooks?: Hooks;
  /**
   * With `lazyPages`: allows serving memory without TLS. The first peer that connects to the address of
   * `pageServer`, by default 127.0.0.1, receives the memory, whichever user it is. Default false.
   */
  insecure?: boolean;
  /**
   * Dump also a tree that CRIU cannot restore, instead of failing with ERR_CRIU_PREFLIGHT. Default false.
   */
  force?: boolean;
}

/** Options of {@link Criu.preDump}. `imagesDirectory` is required. */
export interface PreDumpOptions extends Pick<CriuOpts, OptionOf<'preDump'>>, OperationOptions {
  /** Functions that are called at CRIU's steps. None are where the kernel does not track changed memory. */
  hooks?: Hooks;
}

/** The result of a dump or pre-dump. */
export interface DumpResult {
  /** The pid of the root process. */
  readonly pid: number;
  /** The path of the images directory. */
  readonly imagesDirectory: string;
  /** CRIU's statistics of the dump. */
  readonly stats: DumpStats;
  /** CRIU's log. */
  readonly log: CriuLog | undefined;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;
  /**
   * True in the restored copy of a process that dumped itself through a criu service without
   * `leaveRunning`; undefined after every other dump. Source: `criu_dump_resp.restored`.
   */
  readonly restored?: true;
  /**
   * The processes of the tree whose pids are still in use 3 seconds after the dump has ended them,
   * because their parents have not reaped them: a restore fails until they do. Undefined if all pids
   * are free, if the dump does not end the processes, and if they had a pid namespace of their own, which a
   * restore makes anew.
   */
  readonly occupiedPids?: readonly PidOccupant[];
}

/** The round of an iteration that a dump is. */
export interface RoundContext {
  /** The name of the round in error messages, if it is one of several. */
  readonly name?: string;
  /** The criu of the iteration, if one makes all rounds. */
  readonly workerSession?: WorkerSession;
  /** Opens the images, if others than CRIU write them as well. */
  readonly openImages?: (
    resolved: ResolvedOptions,
    describe: DescribeImages,
  ) => Promise<DumpImages>;
  /** The statistics of the dump, if CRIU has not made all of it. */
  readonly correctStats?: (stats: DumpStats) => DumpStats;
}

/** A connection on which criu serves the pages of a lazy dump. */
export interface ServeCommand {
  /** Descriptors for criu: `[number in criu, number here]`. */
  readonly inherited: readonly (readonly [number, number])[];
  /** The number of the connection in criu. */
  readonly socket: number;
  /** criu is killed when this resolves: it was told to end and took too long. */
  readonly forceKill: Promise<void>;
  /** Called once criu has ended without success; returns why, if that is known. */
  failed(): Promise<AbortReason | undefined>;
}

/** Makes a single dump or pre-dump, or one round of an iteration. */
export async function dump(
  client: Client,
  operation: 'dump' | 'preDump',
  pid: number,
  given: DumpOptions,
  round?: RoundContext,
  serving?: ServeCommand,
): Promise<DumpResult> {
  checkValue(operation, 'pid', pidCheck, pid);
  const start = performance.now();
  using resolved = await resolveOptions(client, operation, given);
  const { force, insecure, ...planned } = given;
  const isSelfDump = client.socket !== undefined && pid === process.pid;
  if (isSelfDump) assertSelfDump(operation, given.hooks);
  const { effective } = resolved;
  const label = `${operation} of process ${pid}${round?.name ? `, ${round.name}` : ''}`;
  using cleanup = await Cleanup.of(pid, effective);
  using procDirectory = new ProcDirectory(pid);
  const hasOwnPids = isNamespaceInit(pid);
  let frozenAt: number | undefined;
  const hasHooks = hookNames.some((name) => resolved.hooks[name]);
  let manifest: DumpManifest | undefined;
  let version: Promise<CriuVersion | undefined> | undefined;
  const single = round ? 'PRE_DUMP' : 'SINGLE_PRE_DUMP';
  const job: Job<DumpStats> = {
    request: {
      type: operation === 'dump' ? 'DUMP' : single,
      label,
      pid,
      isSelfDump,
      check: () => assertExists(client, operation, pid, label),
      async stage() {
        assertThawed(operation, pid, effective.freezeCgroup);
        if (operation === 'dump' && !isSelfDump) await procDirectory.prepare();
        const tree = descendantsOf(pid);
        if (operation === 'dump' && !force) await assertRestorable(operation, tree, effective);
        if (isDescribed(effective, isSelfDump)) {
          manifest = await DumpManifest.of(operation, pid, effective, tree);
        }
        const describe = (directory: string) => manifest?.write(directory);
        if (round?.openImages) return await round.openImages(resolved, describe);
        const images = round
          ? await openDirectImages(operation, resolved, describe)
          : await stageImages(operation, resolved, isSelfDump, describe);
        // While processes that survive are frozen, nothing else is to use the processors.
        if (operation === 'dump' && !survivesDump(effective)) {
          const directory = images?.directory ?? directoryPath(effective.imagesDirectory);
          manifest?.followPages(directory, images?.files ?? (await filesIn(directory)));
        }
        return images;
      },
      logLevel: cleanup.logLevel,
      config: serving
        ? [`ps-socket ${serving.socket}`]
        : servedAddress(operation, resolved, insecure),
      ...(serving && { inherited: serving.inherited }),
    },
    lifecycle: {
      workerSession: round?.workerSession,
      observer: (notification, now) => {
        // The answer is awaited only at the end.
        if (manifest) version ??= versionOnce(client, resolved.cancellation);
        if (now === 'received') manifest?.observe(notification.script, hasHooks);
        if (notification.script === 'query-ext-files') frozenAt ??= performance.now();
        cleanup.observe(notification, now);
      },
      ...(serving && { forceKill: serving.forceKill }),
    },
    forensics: {
      collectEvidence: evidenceOf(client, pid, cleanup, procDirectory, serving),
      // CRIU does not undo everything that it did to serve pages.
      afterSuccess: async (ending, log) => {
        if (cleanup.served) await rollBack(cleanup, ending, log);
      },
      readStats: dumpStatsIn,
    },
  };
  /** A destination needs the manifest of a lazy dump while this serves the pages. */
  const withManifest = (): ResolvedOptions => {
    if (!effective.lazyPages || survivesDump(effective)) return resolved;
    const statusReady = async () => {
      await manifest?.write(directoryPath(effective.imagesDirectory));
      await resolved.hooks.statusReady?.();
    };
    return { ...resolved, hooks: overrideHooks(resolved.hooks, { statusReady }) };
  };
  try {
    const done = await perform(client, withManifest(), job);
    const { imagesDirectory, log, reply } = done;
    const frozenTimeMs = done.repliedAt - (frozenAt ?? done.repliedAt);
    const own = cleanup.served
      ? await lazyStats(operation, done.stats, imagesDirectory, frozenTimeMs)
      : done.stats;
    const stats = round?.correctStats?.(own) ?? own;
    await manifest?.write(imagesDirectory, stats, await version).catch((cause: Error) => {
      const message = `${label} is done, but ${cause.message}`;
      const facts = { operation, pid, workload: stateOf(pid), cause };
      throw new CriuError('ERR_CRIU_SYSTEM', message, facts);
    });
    const ends = operation === 'dump' && !isSelfDump && !survivesDump(effective);
    const occupiedPids = ends && !hasOwnPids ? await awaitFreePids(cleanup.tree, resolved) : [];
    return {
      ...{ pid, imagesDirectory, stats, log, durationMs: performance.now() - start },
      ...(reply.dump?.restored && { restored: true as const }),
      ...(occupiedPids.length > 0 && { occupiedPids }),
    };
  } catch (error) {
    await version;
    const located = withWorkload(error, pid, stateOf(pid));
    throw await explain(located, client, pid, { ...planned, preDump: operation === 'preDump' });
  } finally {
    manifest?.[Symbol.dispose]();
  }
}

/**
 * True if the dump writes a manifest. One into a stream is described at the end of the stream, and the restored copy
 * of a process that dumps itself must not touch the images.
 */
function isDescribed(options: CriuOpts, isSelfDump: boolean): boolean {
  const { manifest, stream } = options;
  return manifest !== false && !stream && (!isSelfDump || survivesDump(options));
}

/**
 * The address on which criu itself serves lazy pages, as a line of configuration: CRIU ignores the address
 * in the request and would listen on every interface.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if others could read the memory
 */
function servedAddress(
  operation: string,
  { options: { lazyPages, pageServer, tls } }: ResolvedOptions,
  insecure: boolean | undefined,
): string[] {
  const { address = LOOPBACK, fd } = pageServer ?? {};
  if (operation !== 'dump' || !lazyPages || fd !== undefined) return [];
  assertEncrypted(operation, address, tls, insecure);
  if (tls || insecure) return [`address ${address}`];
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: lazyPages needs tls, because CRIU serves the memory to whoever connects first, also to other users of this host; use lazyDump, which checks that, or set insecure: true`,
    { operation, option: 'lazyPages' },
  );
}

/** True if the process is the first of a pid namespace: a restore makes that anew, with all of its pids free. */
function isNamespaceInit(pid: number): boolean {
  const { pids = [] } = statusOf(pid) ?? {};
  return pids.length > 1 && pids.at(-1) === 1;
}

/** Waits until the processes that a dump has ended are reaped; returns those that are not. */
async function awaitFreePids(
  tree: readonly number[],
  { cancellation }: ResolvedOptions,
): Promise<PidOccupant[]> {
  const [root] = tree;
  const ended = new KnownProcesses(tree);
  const left = await awaitReaped(tree, {
    isInUse: (pid) => ended.has(pid),
    // The root may be a child of the caller, who awaits its exit.
    isOrphan: (pid) => pid !== root,
    cancelled: cancellation.requested,
  });
  return left.map(occupantOf).filter((occupant) => occupant !== undefined);
}

function notMoved(dumpImages: DumpImages | undefined): AbortReason | undefined {
  const failure = dumpImages?.failure;
  return failure && { code: failure.code, text: failure.message, cause: failure.cause };
}

/** While this process is frozen, its hooks cannot run. */
function assertSelfDump(operation: string, hooks: Hooks | undefined): void {
  if (!hookNames.some((name) => hooks?.[name])) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: a process that dumps itself takes no hooks: it is frozen when CRIU calls them`,
    { operation, option: 'hooks' },
  );
}

/** Determines the state of the processes after a failed dump, and rolls back what CRIU did not. */
function evidenceOf(
  client: Client,
  pid: number,
  cleanup: Cleanup,
  procDirectory: ProcDirectory,
  serving: ServeCommand | undefined,
): NonNullable<Forensics<DumpStats>['collectEvidence']> {
  const before = stateOf(pid);
  const tracersBefore = new KnownProcesses([statusOf(pid)?.tracer ?? 0]);
  return async (ending, log, dumpImages) => {
    const { replied, stderr, program } = ending;
    // The criu of a service is not a child of this process and may still be running.
    const criuHasEnded =
      replied || client.socket === undefined || (await untilReleased(pid, tracersBefore));
    // Without a reply CRIU has not rolled back, and after serving pages it does so only in part.
    const rollsBack = criuHasEnded && (!replied || cleanup.served);
    const rolledBack = rollsBack ? await rollBack(cleanup, ending, log) : undefined;
    const ownProc = await cleanProcDirectory(procDirectory, log);
    const kept = [...ownProc.leftovers, ...(dumpImages?.leftovers ?? [])];
    const leftovers = kept.length > 0 ? [...(rolledBack ?? []), ...kept] : rolledBack;
    const abortReason = ownProc.reason ?? (await serving?.failed()) ?? notMoved(dumpImages);
    const tracer = await tracerOf(pid);
    // The dump that had it may have killed it just now.
    const state = isDying(pid) ? 'gone' : stateOf(pid);
    const isDumped =
      tracer?.by === 'tracer' &&
      (program === undefined ? !tracersBefore.has(tracer.pid) : programOf(tracer.pid) === program);
    // CRIU logs the same warning for a zombie.
    const warning = notPermitted(pid);
    const refused = before !== 'gone' && (stderr.includes(warning) || (await log.says(warning)));
    // A process that another criu dumps may be executing that criu's parasite code.
    const isStopped = (isDumped && state !== 'gone') || (cleanup.frozen && state === 'running');
    const workload = isStopped ? 'stopped' : state;
    // The images are all that is left of the processes.
    if (state === 'gone' && dumpImages?.isPlaced) await dumpImages.finish().catch(() => {});
    return { pid, workload, tracer, refused, abortReason, leftovers };
  };
}

async function rollBack(
  cleanup: Cleanup,
  { session, stderr }: Ending,
  log: LogFile,
): Promise<string[]> {
  return await cleanup.rollBack(session, `${await log.beginning()}${stderr}`);
}

/** How long the criu of a service may take to roll back after its connection was closed. */
const RELEASE_LIMIT_MS = 5000;
const POLL_MS = 10;

/**
 * Waits until a process has no tracer but one that traced it before the dump. Resolves with false if that
 * takes too long.
 */
async function untilReleased(pid: number, tracersBefore: KnownProcesses): Promise<boolean> {
  for (let waited = 0; waited < RELEASE_LIMIT_MS; waited += POLL_MS) {
    const tracer = await tracerOf(pid);
    if (tracer?.by !== 'tracer' || tracersBefore.has(tracer.pid)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** CRIU would wait forever for a frozen process; killing criu then would kill the process, too. */
function assertThawed(operation: string, pid: number, freezeCgroup: string | undefined): void {
  const frozen = freezeCgroup === undefined ? frozenCgroupOf(pid) : undefined;
  if (frozen === undefined) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: process ${pid} is in the frozen cgroup ${frozen}: thaw it, or name it by freezeCgroup`,
    { operation, option: 'freezeCgroup', pid, workload: 'stopped' },
  );
}
