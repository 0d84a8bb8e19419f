import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Criu } from '../../criu.ts';
import { traceOperation } from '../../diagnostics.ts';
import type { DumpOptions } from '../../dump.ts';
import { dump } from '../../dump.ts';
import {
  CriuError,
  type CriuErrorCode,
  invalid,
  unknownOption,
  type WorkloadState,
} from '../../errors.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import type { Standing__Output } from '../../generated/types/node_criu/Standing.ts';
import { LazySource } from '../../lazy/lazy-source.ts';
import { StoppedTree } from '../../lazy/stopped-tree.ts';
import type { Client } from '../../operation.ts';
import { readGiven } from '../../options/given.ts';
import type { Hooks } from '../../options/types.ts';
import { holdOf } from '../../process/hold.ts';
import { stateOf } from '../../process/state.ts';
import { Cancellation } from '../../rpc/cancellation.ts';
import { Iteration } from '../iteration.ts';
import type { PreCopyFunction, PreCopyLimits } from '../policy.ts';
import { preCopy } from '../pre-copy.ts';
import type { Round } from '../round.ts';
import { type Credentials, type MigrationTls, readCredentials } from './credentials.ts';
import { EventQueue, type MigrationEvent, type MigrationPhase } from './events.ts';
import { hostFacts, lazySourceObstacle, treeFacts } from './host-facts.ts';
import { startTimeOf, thisAgent } from './identity.ts';
import { sendImages } from './image-transfer.ts';
import { Journal } from './journal.ts';
import {
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingIn,
  STATE_DIRECTORY,
} from './outgoing-journal.ts';
import { connectPages, PageTunnel } from './page-tunnel.ts';
import { flagsOf } from './serve.ts';
import { Destination, PROTOCOL } from './service.ts';
import { type DestinationState, type SourceState, sourceMove } from './states.ts';

/**
 * How memory goes over.
 * - `stop-and-copy`: while the processes are frozen.
 * - `pre-copy`: in rounds while they run, and the rest while they are frozen. The source's kernel has
 *   to track changed memory.
 * - `post-copy`: once they run at the destination. If the source or the network fails meanwhile, what
 *   they have done since is lost.
 * - `hybrid`: in rounds, and the rest as in post-copy.
 */
export type MigrationMode = 'stop-and-copy' | 'pre-copy' | 'post-copy' | 'hybrid';

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** Where {@link serveMigrations} listens. */
  readonly to: { readonly host: string; readonly port: number };
  /** Certificates of mutual TLS. */
  readonly tls?: MigrationTls;
  /** Without certificates, to a loopback address. */
  readonly insecure?: boolean;
  /** How memory goes over. Default: `pre-copy` if this kernel can, else `stop-and-copy`. */
  readonly mode?: MigrationMode;
  /** When the rounds of `pre-copy` and `hybrid` end; see {@link preCopy}. */
  readonly policy?: PreCopyLimits | PreCopyFunction;
  /** Options of the dump; the destination restores with those that a restore needs as well. */
  readonly dump?: Partial<DumpOptions>;
  /**
   * Moves addresses to the destination: called when the copy is restored and the original stopped,
   * neither of which runs. If it throws, the original runs on.
   */
  switchOver?(): Promise<void> | void;
  /** Moves them back: called if the migration fails after `switchOver`, before the original runs on. */
  switchBack?(): Promise<void> | void;
  /** Cancels it, as {@link Migration.cancel} does. */
  readonly signal?: AbortSignal;
  /** Cancels it likewise after this many milliseconds. */
  readonly deadlineMs?: number;
  /** Functions to call. */
  readonly hooks?: {
    /**
     * A phase is about to begin. It is waited for; if it throws, the migration fails, but not in
     * `pages` and `done`: the copy runs by then.
     */
    phase?(phase: MigrationPhase): Promise<void> | void;
  };
  /** Where journals and images are kept; {@link resolveMigration} looks there. Default `/var/lib/node-criu`. */
  readonly directory?: string;
  /** The criu binary, as in {@link CriuClientOptions.path}. */
  readonly path?: string;
  /** Memory that may go over in a second, in bytes. Default: no limit. */
  readonly rateLimit?: number;
  /** How long an answer may take, and a connection stand still, in milliseconds. Default 10000. */
  readonly stallMs?: number;
}

/** How a migration went. */
export interface MigrationResult {
  /** Its id. */
  readonly id: string;
  /** The pid of the root at the destination, as seen there. */
  readonly pid: number;
  /** The mode that was used. */
  readonly mode: MigrationMode;
  /** Rounds before the dump. */
  readonly rounds: number;
  /** Memory and images that have gone over, in bytes. */
  readonly bytes: number;
  /** For how long no copy ran, in milliseconds. */
  readonly downtimeMs: number;
  /** From the call to the end of the original, in milliseconds. */
  readonly totalMs: number;
  /** Time of each phase, in milliseconds. */
  readonly phases: Readonly<Partial<Record<MigrationPhase, number>>>;
}

const OPERATION = 'migrate';
const MODES: readonly string[] = ['stop-and-copy', 'pre-copy', 'post-copy', 'hybrid'];
const PROGRESS_MS = 250;
const RETRY_MS = 300;
/** gRPC's FAILED_PRECONDITION, with which a destination answers if it fails. */
const REFUSED = 9;
/** How often the destination hears of us: it gives up a migration whose source is silent. */
const SIGN_OF_LIFE_MS = 1000;

/**
 * Moves a process tree to another host while it runs, with its connections if the dump has
 * `tcpEstablished` and `switchOver` moves its address. Whatever fails before the copy is let go, the
 * original runs on. docs/migration.md tells how that is made sure of.
 *
 * @example
 * ```ts
 * const migration = migrate(pid, { to: { host: '192.0.2.2', port: 7000 }, tls, dump: { tcpEstablished: true } });
 * for await (const { phase, bytes } of migration) console.log(phase, bytes);
 * const { downtimeMs } = await migration.result;
 * ```
 * @param pid the root of the tree
 */
export function migrate(pid: number, options: MigrateOptions): Migration {
  return new Migration(pid, options);
}

/** A migration from this host; its events can be gone through once. */
export class Migration implements AsyncIterable<MigrationEvent> {
  /** Its id, in the journals of both hosts. */
  readonly id = randomUUID() as string;
  /** The root of the original. */
  readonly pid: number;
  /**
   * Resolves when the copy runs with all of its memory and the original has ended. Rejects with
   * ERR_CRIU_MIGRATION_REFUSED before anything was touched; ERR_CRIU_MIGRATION_UNRESOLVED if the
   * destination cannot be asked whether its copy runs; else with the cause, or
   * ERR_CRIU_MIGRATION_FAILED. The `workload` of the error is the original's.
   */
  readonly result: Promise<MigrationResult>;
  readonly #events = new EventQueue<MigrationEvent>();
  readonly #cancelled = new AbortController();

  /** @internal */
  constructor(pid: number, options: MigrateOptions) {
    this.pid = pid;
    this.result = traceOperation({ operation: OPERATION, pid }, () => this.#run(options)).finally(
      () => this.#events.end(),
    );
    // Who goes through the events may wait for it later.
    this.result.catch(() => {});
  }

  /** The events so far, and those to come, to the end. */
  [Symbol.asyncIterator](): AsyncIterator<MigrationEvent, void, undefined> {
    return this.#events[Symbol.asyncIterator]();
  }

  /**
   * Cancels it: the original runs on, unless the copy was let go already. Resolves when it has ended;
   * `result` tells how.
   */
  async cancel(): Promise<void> {
    this.#cancelled.abort(new Error('the migration was cancelled'));
    await this.result.catch(() => {});
  }

  async #run(options: MigrateOptions): Promise<MigrationResult> {
    const start = performance.now();
    const given = checked(this.pid, readGiven(OPERATION, options));
    const { directory = STATE_DIRECTORY, to, tls, insecure } = given;
    const credentials = await readCredentials(OPERATION, to.host, tls, insecure);
    const signals = [this.#cancelled.signal, ...(given.signal ? [given.signal] : [])];
    using cancellation = new Cancellation(OPERATION, {
      signal: AbortSignal.any(signals),
      deadlineMs: given.deadlineMs,
    });
    cancellation.throwIfRequested();
    await mkdir(directory, { recursive: true, mode: 0o700 });
    using destination = await Destination.connect(to, credentials);
    await using journal: OutgoingJournal = await Journal.create<SourceState, OutgoingFacts>(
      outgoingIn(directory),
      this.id,
    );
    const outgoing = new Outgoing({
      ...{ id: this.id, pid: this.pid, given, directory, credentials, cancellation },
      ...{ destination, journal, start, events: this.#events },
    });
    return await outgoing.run();
  }
}

/** What a migration has at hand while it is under way. */
class Outgoing {
  readonly #id: string;
  readonly #pid: number;
  readonly #given: MigrateOptions;
  readonly #images: string;
  readonly #credentials: Credentials | undefined;
  readonly #cancellation: Cancellation;
  readonly #destination: Destination;
  readonly #journal: OutgoingJournal;
  readonly #events: EventQueue<MigrationEvent>;
  readonly #start: number;
  readonly #client: Client;
  readonly #criu: Criu;
  readonly #stallMs: number;
  readonly #aborted = new AbortController();
  readonly #phases: Partial<Record<MigrationPhase, number>> = {};
  #phase: MigrationPhase = 'offer';
  #phaseStart: number;
  #mode: MigrationMode = 'stop-and-copy';
  #tunnel: PageTunnel | undefined;
  #lazyBytes: () => number = () => 0;
  #imageBytes = 0;
  #frozenAt: number | undefined;
  #downtimeMs = 0;
  #rounds = 0;
  #stoppedBefore: ReadonlySet<number> = new Set();
  #tree: StoppedTree | undefined;
  #switched = false;
  #handedOver = false;
  #copy: Standing__Output | undefined;

  constructor(parts: {
    id: string;
    pid: number;
    given: MigrateOptions;
    directory: string;
    credentials: Credentials | undefined;
    cancellation: Cancellation;
    destination: Destination;
    journal: OutgoingJournal;
    start: number;
    events: EventQueue<MigrationEvent>;
  }) {
    const { id, pid, given, directory } = parts;
    this.#id = id;
    this.#pid = pid;
    this.#given = given;
    this.#images = join(directory, 'images', id);
    this.#credentials = parts.credentials;
    this.#cancellation = parts.cancellation;
    this.#destination = parts.destination;
    this.#journal = parts.journal;
    this.#start = parts.start;
    this.#phaseStart = parts.start;
    this.#events = parts.events;
    this.#client = { path: given.path, defaults: {} };
    this.#criu = new Criu(given.path === undefined ? {} : { path: given.path });
    this.#stallMs = given.stallMs ?? 10_000;
    parts.cancellation.requested.then(() => {
      // The copy may run by then: now to break off would lose what it does.
      if (!this.#handedOver) this.#aborted.abort(parts.cancellation.reason);
    });
  }

  async run(): Promise<MigrationResult> {
    const progress = setInterval(() => this.#tell({}), PROGRESS_MS).unref();
    const alive = setInterval(() => {
      if (this.#phase === 'offer') return;
      this.#destination.call('ask', { id: this.#id }, this.#stallMs).catch(() => {});
    }, SIGN_OF_LIFE_MS).unref();
    try {
      const offered = await this.#offer();
      await this.#begin('connect');
      const eager = this.#mode === 'stop-and-copy' || this.#mode === 'pre-copy';
      if (this.#mode !== 'post-copy') this.#tunnel = await this.#connect(offered);
      await (eager ? this.#eagerly() : this.#lazily(offered));
      await this.#journal.write('done', { agent: '' });
      await this.#begin('done');
      this.#tell({});
      return this.#result();
    } catch (error) {
      clearInterval(alive);
      throw await this.#failed(error as Error);
    } finally {
      clearInterval(progress);
      clearInterval(alive);
      this.#tunnel?.[Symbol.dispose]();
      await this.#criu.close();
      if (this.#journal.entry?.state !== 'handed-over') {
        await rm(this.#images, { recursive: true, force: true });
      }
    }
  }

  // --- Before anything is touched -----------------------------------------------------------------

  async #offer(): Promise<OfferReply__Output> {
    await this.#begin('offer');
    const { mode, dump: forDump = {}, to } = this.#given;
    const startTime = startTimeOf(this.#pid);
    if (startTime === undefined) {
      const message = `${OPERATION}: there is no process ${this.#pid}`;
      throw new CriuError('ERR_CRIU_NO_SUCH_PROCESS', message, {
        operation: OPERATION,
        pid: this.#pid,
      });
    }
    await mkdir(this.#images, { recursive: true, mode: 0o700 });
    const [host, tree, cpuinfo] = await Promise.all([
      hostFacts(this.#criu, this.#images),
      treeFacts(this.#pid),
      this.#describeProcessor(),
    ]);
    this.#mode = mode ?? (host.memTrack ? 'pre-copy' : 'stop-and-copy');
    await this.#refuseHere(host.memTrack, host.lazyPages);
    const { networkLock, manageCgroupsMode } = forDump;
    const reply = await this.#ask('offer', {
      ...{ protocol: PROTOCOL, id: this.#id, mode: this.#mode, host, cpuinfo, ...tree },
      flags: flagsOf(forDump),
      networkLock: networkLock ?? '',
      manageCgroupsMode: manageCgroupsMode ?? '',
    });
    if (reply.objections.length > 0) {
      throw refusal(
        `${to.host}:${to.port} does not take it: ${reply.objections.map(({ message, remedy }) => `${message} ${remedy}`).join(' ')}`,
      );
    }
    const { tcpEstablished, tcpClose, linkRemap, freezeCgroup } = forDump;
    await this.#journal.write('offered', {
      ...{ pid: this.#pid, startTime, to, mode: this.#mode, agent: thisAgent() },
      undone: defined({ tcpEstablished, tcpClose, linkRemap, freezeCgroup, networkLock }),
    });
    return reply;
  }

  async #refuseHere(memTrack: boolean, lazyPages: boolean): Promise<void> {
    const inRounds = this.#mode === 'pre-copy' || this.#mode === 'hybrid';
    if (inRounds && !memTrack) {
      throw refusal(
        `${this.#mode} needs a kernel that tracks changed memory, and this one does not: use the mode 'stop-and-copy' or 'post-copy'`,
      );
    }
    if (this.#mode === 'post-copy' || this.#mode === 'hybrid') {
      const obstacle = lazyPages ? await lazySourceObstacle() : 'this kernel has no userfaultfd';
      if (obstacle) throw refusal(`${this.#mode} is not possible: ${obstacle}`);
    }
    // Iterations look by themselves.
    if (inRounds) return;
    const { hooks, signal, deadlineMs, gracePeriodMs, ...options } = this.#given.dump ?? {};
    const findings = await this.#criu.preflight(this.#pid, options as object);
    const [first] = findings.filter(({ severity }) => severity === 'error');
    if (!first) return;
    const error = refusal(`${first.message} ${first.remedy}`);
    error.findings = findings;
    throw error;
  }

  async #describeProcessor(): Promise<Buffer> {
    const imagesDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
    try {
      const { cpuCap } = this.#given.dump ?? {};
      await this.#criu.cpuinfoDump({ imagesDirectory, ...(cpuCap !== undefined && { cpuCap }) });
      return await readFile(join(imagesDirectory, 'cpuinfo.img'));
    } finally {
      await rm(imagesDirectory, { recursive: true, force: true });
    }
  }

  async #connect({ pagePort, roundToken }: OfferReply__Output): Promise<PageTunnel> {
    const { rateLimit, to } = this.#given;
    const place = { host: to.host, port: pagePort };
    const peer = await connectPages(place, this.#credentials, roundToken, this.#aborted.signal);
    return new PageTunnel(peer, { rateLimit, stallMs: this.#stallMs });
  }

  // --- Memory first ---------------------------------------------------------------------------------

  async #eagerly(): Promise<void> {
    const tunnel = this.#tunnel as PageTunnel;
    if (this.#mode === 'stop-and-copy') {
      const imagesDirectory = join(this.#images, '0');
      await this.#ask('startRound', { id: this.#id, index: 0 });
      await this.#lastDump(0, imagesDirectory, (hooks) =>
        dump(this.#client, 'dump', this.#pid, {
          ...this.#dumpOptions(hooks),
          ...{ imagesDirectory, pageServer: { fd: tunnel.far } },
        }),
      );
      return;
    }
    await using iteration = await this.#copyInRounds(false);
    const index = this.#rounds;
    await this.#ask('startRound', { id: this.#id, index });
    await this.#lastDump(index, join(this.#images, String(index)), (hooks) =>
      iteration.dump(this.#dumpOptions(hooks)),
    );
  }

  /** Makes the rounds; each needs a page server at the destination. */
  async #copyInRounds(lazyPages: boolean): Promise<Iteration> {
    await this.#begin('rounds');
    const tunnel = this.#tunnel as PageTunnel;
    const { dump: forDump, policy = {} } = this.#given;
    const { hooks, gracePeriodMs, ...options } = (forDump ?? {}) as DumpOptions;
    const iteration = await Iteration.start(this.#client, this.#pid, {
      ...options,
      imagesDirectory: this.#images,
      lazyPages,
      signal: this.#aborted.signal,
      pageServer: { fd: tunnel.far },
    });
    try {
      const preDump = async () => {
        await this.#ask('startRound', { id: this.#id, index: this.#rounds });
        return await iteration.preDump();
      };
      const rounds = preCopy({ preDump, close: () => iteration.close() }, policy);
      for await (const round of rounds) {
        this.#rounds++;
        this.#tellRound(round, rounds.decision);
      }
      if (rounds.decision?.action === 'abort') {
        throw new CriuError('ERR_CRIU_ABORTED', `${OPERATION}: the policy aborted`, {
          operation: OPERATION,
        });
      }
      return iteration;
    } catch (error) {
      await iteration.close();
      throw error;
    }
  }

  /**
   * The dump by which it is decided: while its processes are frozen and its images complete, the
   * copy is made and let go, and only then CRIU is told to end them.
   */
  async #lastDump(
    index: number,
    directory: string,
    dumping: (hooks: Hooks) => Promise<unknown>,
  ): Promise<void> {
    await this.#begin('dump');
    this.#stoppedBefore = await StoppedTree.before(this.#pid);
    const own = this.#given.dump?.hooks;
    let moving: Promise<void> | undefined;
    const hooks: Hooks = {
      ...own,
      onNotify: async (notification) => {
        if (notification.script === 'query-ext-files') this.#frozenAt = performance.now();
        await own?.onNotify?.(notification);
      },
      postDump: async () => {
        await own?.postDump?.();
        moving = this.#move(index, directory, false);
        await moving;
      },
    };
    try {
      await dumping(hooks);
    } catch (error) {
      // If criu has died the hook goes on without it, and what it comes to counts.
      this.#aborted.abort(error);
      const cause = await moving?.then(
        () => undefined,
        (cause: Error) => cause,
      );
      if (this.#copy?.state !== 'complete') {
        const cut = moving ? undefined : this.#tunnel?.failure;
        if (cut) throw failure(`the connection for pages has broken off: ${cut.message}`, error);
        throw (isOfHook(error) && cause) || error;
      }
      this.#tree?.kill();
    }
  }

  // --- Memory last ----------------------------------------------------------------------------------

  async #lazily({ pagePort, lazyToken }: OfferReply__Output): Promise<void> {
    const place = { host: this.#given.to.host, port: pagePort };
    const peer = await connectPages(place, this.#credentials, lazyToken, this.#aborted.signal);
    let settle!: (isWell: boolean) => void;
    const isWell = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    let index = 0;
    let source: LazySource;
    // Once it is stopped for the hand-over, it is not criu's end that decides.
    const isKept = () => this.#tree !== undefined;
    const onNotify: Hooks['onNotify'] = (notification) => {
      if (notification.script === 'query-ext-files') this.#frozenAt = performance.now();
      return this.#given.dump?.hooks?.onNotify?.(notification);
    };
    const confirm = () => isWell;
    try {
      if (this.#mode === 'hybrid') {
        const iteration = await this.#copyInRounds(true);
        index = this.#rounds;
        await this.#begin('dump');
        this.#stoppedBefore = await StoppedTree.before(this.#pid);
        const hooks = { ...this.#given.dump?.hooks, onNotify };
        const given = { ...this.#dumpOptions(hooks), confirm };
        source = await iteration.lazyDumpTo(peer, given, isKept);
      } else {
        await this.#begin('dump');
        this.#stoppedBefore = await StoppedTree.before(this.#pid);
        const imagesDirectory = join(this.#images, '0');
        const hooks = { ...this.#given.dump?.hooks, onNotify };
        source = await LazySource.start({
          ...{ operation: OPERATION, pid: this.#pid, imagesDirectory, client: this.#client, peer },
          isKept,
          given: { ...this.#dumpOptions(hooks), imagesDirectory, confirm },
          dump: (forDump, serving) =>
            dump(this.#client, 'dump', this.#pid, forDump, undefined, serving),
        });
      }
    } catch (error) {
      peer.destroy();
      throw error;
    }
    this.#lazyBytes = () => peer.bytesWritten;
    let lost: CriuError | undefined;
    source.done.catch((error: CriuError) => {
      if (this.#handedOver) return;
      if (error.code !== 'ERR_CRIU_ABORTED') lost = error;
      this.#aborted.abort(error);
    });
    try {
      await this.#move(index, source.imagesDirectory, true);
      await this.#begin('pages');
      const progress = setInterval(() => {
        const { pages, pagesFetched } = source.progress;
        this.#tell({ pages: pagesFetched, ...this.#eta(pages, pagesFetched) });
      }, PROGRESS_MS).unref();
      const how = await this.#awaitPages().finally(() => clearInterval(progress));
      settle(true);
      // The connection may have broken off behind the last page.
      const discard = () => source.discard().catch(() => {});
      const late = setTimeout(discard, this.#stallMs);
      await source.done.catch(discard).finally(() => clearTimeout(late));
      this.#copy = how;
    } catch (error) {
      const cause = lost ?? error;
      settle(false);
      // Once it is stopped for the hand-over it stays so, until addresses are back.
      if (isKept()) await source.close();
      else await source.resume().catch(() => {});
      throw cause;
    }
  }

  /** Waits until the copy has all of its memory. */
  async #awaitPages(): Promise<Standing__Output> {
    const [id, withinMs] = [this.#id, Math.max(500, this.#stallMs / 2)];
    for (let heardAt = performance.now(); ; ) {
      try {
        // That may take long; whether anybody is there at all must not.
        const how = await this.#destination
          .call('awaitPages', { id }, withinMs)
          .catch(() => this.#destination.call('ask', { id }, withinMs));
        heardAt = performance.now();
        const move = sourceMove('handed-over', how.state as DestinationState);
        if (move === 'end') return how;
        if (move === 'resume') {
          await this.#journal.write('aborting');
          throw failure(`the copy has lost its memory: ${how.message}`);
        }
      } catch (error) {
        if (error instanceof CriuError) throw error;
        if (performance.now() - heardAt > this.#stallMs) throw this.#unresolved(error as Error);
      }
      await pause(RETRY_MS);
    }
  }

  // --- From here to there ---------------------------------------------------------------------------

  /** The original is frozen and its images are complete: makes the copy, and lets it go. */
  async #move(index: number, directory: string, lazy: boolean): Promise<void> {
    const round = { id: this.#id, index };
    await this.#begin('images');
    const { signal } = this.#aborted;
    const withinMs = 6 * this.#stallMs;
    this.#imageBytes = await sendImages(this.#destination, round, directory, withinMs, signal);
    await this.#begin('prepare');
    await this.#ask('prepare', { ...round, lazy }, withinMs);
    await this.#begin('switch-over');
    await this.#stopOriginal();
    this.#switched = true;
    await this.#given.switchOver?.();
    // A destination that has gone meanwhile leaves nothing to decide.
    const { state, message } = await this.#ask('ask', { id: this.#id });
    if (state !== 'prepared') throw failure(`the copy is ${state}: ${message}`);
    await this.#begin('hand-over');
    this.#throwIfAborted();
    this.#handedOver = true;
    const { pids, stoppedBefore } = this.#tree ?? { pids: [], stoppedBefore: [] };
    await this.#journal.write('handed-over', { tree: pids, stoppedBefore: [...stoppedBefore] });
    this.#copy = await this.#handOver(lazy);
    this.#downtimeMs = performance.now() - (this.#frozenAt ?? this.#phaseStart);
  }

  /** From now on it does not run, whatever happens to its criu; and it has not since it was dumped. */
  async #stopOriginal(): Promise<void> {
    this.#throwIfAborted();
    this.#tree = StoppedTree.stop(this.#pid, this.#stoppedBefore);
    for (const pid of this.#tree.pids) {
      const hold = await holdOf(pid);
      if (hold && !(hold.by === 'tracer' && hold.name === 'criu')) {
        throw failure(`process ${pid} of the original is not held by criu any more`);
      }
    }
  }

  /** Asks the destination to let the copy run, until it says whether it does. */
  async #handOver(lazy: boolean): Promise<Standing__Output> {
    const until = performance.now() + this.#stallMs;
    for (;;) {
      const how = await this.#destination
        .call('handOver', { id: this.#id }, Math.max(1000, this.#stallMs / 4))
        .catch((error: Error) => error);
      const state = how instanceof Error ? undefined : (how.state as DestinationState);
      if (!(how instanceof Error) && (state === 'complete' || (lazy && state === 'resumed')))
        return how;
      const move = sourceMove('handed-over', state);
      if (move === 'resume' && !(how instanceof Error)) {
        await this.#journal.write('aborting');
        throw failure(`the destination has given it up: ${how.message || how.state}`);
      }
      if (performance.now() > until) {
        throw this.#unresolved(how instanceof Error ? how : new Error(`the copy is ${how.state}`));
      }
      await pause(RETRY_MS);
    }
  }

  #unresolved(cause: Error): CriuError {
    const message =
      `migration ${this.#id}: the destination has not said whether its copy runs (${detailsOf(cause)}); ` +
      `the original is stopped until resolveMigration('${this.#id}')`;
    return new CriuError('ERR_CRIU_MIGRATION_UNRESOLVED', message, {
      ...{ operation: OPERATION, pid: this.#pid, workload: 'stopped', cause },
    });
  }

  // --- After a failure ------------------------------------------------------------------------------

  async #failed(error: Error): Promise<CriuError> {
    const { state } = this.#journal.entry ?? {};
    if (state === 'handed-over') {
      await this.#journal.write('handed-over', { agent: '' }).catch(() => {});
      return error instanceof CriuError && error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED'
        ? error
        : this.#unresolved(error);
    }
    // Should that not be possible, 'offered' means the same.
    if (state === 'offered') await this.#journal.write('aborting').catch(() => {});
    const reason = error.message;
    // The destination would give it up by itself, but later.
    if (this.#phase !== 'offer') {
      this.#destination.call('abort', { id: this.#id, reason }, 2000).catch(() => {});
      await this.#destination.call('ask', { id: this.#id }, 2000).catch(() => {});
    }
    let back: Error | undefined;
    if (this.#switched) {
      await Promise.resolve()
        .then(() => this.#given.switchBack?.())
        .catch((cause: Error) => {
          back = cause;
        });
    }
    this.#tree?.resume();
    if (state !== undefined) await this.#journal.write('aborted', { agent: '' }).catch(() => {});
    const workload = await stateOf(this.#pid);
    const also = back ? `; switchBack threw as well: ${back.message}` : '';
    return this.#explained(error, workload, also);
  }

  #explained(error: Error, workload: WorkloadState, also: string): CriuError {
    const reason = this.#handedOver ? undefined : this.#cancellation.reason;
    const known = error instanceof CriuError ? error : undefined;
    const refused =
      known?.code === 'ERR_CRIU_MIGRATION_REFUSED' || known?.code === 'ERR_CRIU_INVALID_ARGUMENT';
    if (refused && known) return known;
    const code: CriuErrorCode = reason?.code ?? known?.code ?? 'ERR_CRIU_MIGRATION_FAILED';
    const text = reason ? reason.message.replace(/^\w+ /, 'it ') : detailsOf(error);
    const original = {
      running: 'runs on',
      stopped: 'is stopped',
      gone: 'is gone',
      unknown: 'is not known',
    }[workload];
    const message = `migration ${this.#id}, phase ${this.#phase}: ${text} (the original ${original}${also})`;
    const explained = new CriuError(code, message, {
      ...{ operation: OPERATION, pid: this.#pid, workload },
      ...{ log: known?.log, stderr: known?.stderr, exit: known?.exit, leftovers: known?.leftovers },
      cause: reason?.cause ?? error,
    });
    explained.findings = known?.findings;
    return explained;
  }

  // --- Tools ----------------------------------------------------------------------------------------

  #dumpOptions(hooks: Hooks): DumpOptions {
    const { imagesDirectory: _, ...options } = this.#given.dump ?? {};
    return { ...options, hooks, signal: this.#aborted.signal } as DumpOptions;
  }

  async #ask<M extends 'offer' | 'startRound' | 'prepare' | 'ask'>(
    method: M,
    request: Parameters<Destination['call']>[1] & object,
    withinMs = this.#stallMs,
  ) {
    const { signal } = this.#aborted;
    this.#throwIfAborted();
    return await this.#destination
      .call(method, request as never, withinMs, signal)
      .catch((error: Error) => {
        const { host, port } = this.#given.to;
        if (method !== 'offer') throw error;
        const how = isAnswer(error) ? 'cannot take it' : 'does not answer';
        throw refusal(`${host}:${port} ${how}: ${detailsOf(error)}`, error);
      });
  }

  async #begin(phase: MigrationPhase): Promise<void> {
    const now = performance.now();
    this.#phases[this.#phase] = (this.#phases[this.#phase] ?? 0) + now - this.#phaseStart;
    this.#phase = phase;
    this.#phaseStart = now;
    const isOver = phase === 'pages' || phase === 'done';
    if (!isOver) this.#throwIfAborted();
    try {
      await this.#given.hooks?.phase?.(phase);
    } catch (error) {
      if (!isOver) throw error;
    }
    this.#tell({});
  }

  #throwIfAborted(): void {
    this.#cancellation.throwIfRequested();
    if (this.#aborted.signal.aborted) throw this.#aborted.signal.reason;
  }

  get #bytes(): number {
    return (this.#tunnel?.sent ?? 0) + this.#lazyBytes() + this.#imageBytes;
  }

  #tell(facts: Partial<MigrationEvent>): void {
    const timeMs = performance.now() - this.#start;
    const sinceMs = performance.now() - this.#phaseStart;
    const rate = sinceMs > 0 && this.#bytes > 0 ? { rate: (this.#bytes / timeMs) * 1000 } : {};
    const mode = this.#phase === 'offer' ? {} : { mode: this.#mode };
    this.#events.push({
      phase: this.#phase,
      timeMs,
      ...mode,
      bytes: this.#bytes,
      ...rate,
      ...facts,
    });
  }

  #tellRound(
    { index, stats, durationMs }: Round,
    decision: ReturnType<typeof preCopy>['decision'],
  ): void {
    const { estimatedFrozenTimeMs, dirtyBytes } = decision ?? {};
    this.#tell({
      ...{
        round: index,
        pages: stats.pagesWritten,
        rate: (stats.bytesWritten / durationMs) * 1000,
      },
      ...(dirtyBytes !== undefined && { dirtyRate: (dirtyBytes / durationMs) * 1000 }),
      ...(estimatedFrozenTimeMs !== undefined && { estimatedDowntimeMs: estimatedFrozenTimeMs }),
    });
  }

  #eta(pages: number, pagesFetched: number): { etaMs?: number } {
    const elapsed = performance.now() - this.#phaseStart;
    return pagesFetched > 0 ? { etaMs: (elapsed * (pages - pagesFetched)) / pagesFetched } : {};
  }

  #result(): MigrationResult {
    return {
      ...{ id: this.#id, pid: this.#copy?.pid ?? 0, mode: this.#mode, rounds: this.#rounds },
      ...{ bytes: this.#bytes, downtimeMs: this.#downtimeMs },
      ...{ totalMs: performance.now() - this.#start, phases: this.#phases },
    };
  }
}

function refusal(text: string, cause?: unknown): CriuError {
  const details = { operation: OPERATION, ...(cause !== undefined && { cause }) };
  return new CriuError('ERR_CRIU_MIGRATION_REFUSED', `${OPERATION}: ${text}`, details);
}

function failure(text: string, cause?: unknown): CriuError {
  const details = { operation: OPERATION, ...(cause !== undefined && { cause }) };
  return new CriuError('ERR_CRIU_MIGRATION_FAILED', `${OPERATION}: ${text}`, details);
}

/** Whether the destination itself has said so, and not gRPC. */
function isAnswer(error: Error): boolean {
  return (error as { code?: unknown }).code === REFUSED;
}

/** Whether CRIU has only been told by our hook that something went wrong. */
function isOfHook(error: unknown): boolean {
  return error instanceof CriuError && error.code === 'ERR_CRIU_HOOK';
}

/** What gRPC has to say, without its number; or what we have. */
function detailsOf(error: Error): string {
  const { details } = error as { details?: string };
  return details?.replace(/ Resolution note: *$/, '') || error.message.replace(/^\w+: /, '');
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const OPTIONS: ReadonlySet<string> = new Set([
  ...['to', 'tls', 'insecure', 'mode', 'policy', 'dump', 'switchOver', 'switchBack', 'signal'],
  ...['deadlineMs', 'hooks', 'directory', 'path', 'rateLimit', 'stallMs'],
]);
/** What the migration decides by itself. */
const OWN = [
  ...['imagesDirectory', 'workDirectory', 'pageServer', 'parentImage', 'trackMem', 'lazyPages'],
  ...['leaveRunning', 'leaveStopped', 'statusFd', 'signal', 'deadlineMs', 'insecure', 'tls'],
];

function checked(pid: number, given: MigrateOptions): MigrateOptions {
  for (const name of Object.keys(given)) {
    if (!OPTIONS.has(name)) throw unknownOption(OPERATION, name);
  }
  const { to, mode, dump: forDump, switchOver, switchBack, rateLimit, stallMs, directory } = given;
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) {
    throw invalid(OPERATION, 'pid', 'a positive integer', pid);
  }
  const { host, port } = to ?? {};
  if (typeof host !== 'string' || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid(OPERATION, 'to', '{ host: string, port: 1 to 65535 }', to);
  }
  if (mode !== undefined && !MODES.includes(mode)) {
    throw invalid(OPERATION, 'mode', `one of '${MODES.join("', '")}'`, mode);
  }
  if (forDump !== undefined && (typeof forDump !== 'object' || forDump === null)) {
    throw invalid(OPERATION, 'dump', 'an object of options', forDump);
  }
  for (const option of OWN) {
    if (!Object.hasOwn(forDump ?? {}, option)) continue;
    throw invalid(
      OPERATION,
      `dump.${option}`,
      'nothing: the migration sets it',
      forDump?.[option as keyof DumpOptions],
    );
  }
  if (given.signal !== undefined && !(given.signal instanceof AbortSignal)) {
    throw invalid(OPERATION, 'signal', 'an AbortSignal', given.signal);
  }
  for (const [name, value] of Object.entries({ switchOver, switchBack })) {
    if (value !== undefined && typeof value !== 'function') {
      throw invalid(OPERATION, name, 'a function', value);
    }
  }
  for (const [name, value] of Object.entries({ rateLimit, stallMs })) {
    if (value !== undefined && !(typeof value === 'number' && value >= 1)) {
      throw invalid(OPERATION, name, 'a number from 1', value);
    }
  }
  if (directory !== undefined && (typeof directory !== 'string' || directory === '')) {
    throw invalid(OPERATION, 'directory', 'the path of a directory', directory);
  }
  return given;
}
