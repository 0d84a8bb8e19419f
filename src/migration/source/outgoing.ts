import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { Cleanup } from '../../cleanup/cleanup.ts';
import type { Cancellation } from '../../concurrency/cancellation.ts';
import { atMost, unlessAborted } from '../../concurrency/deadline.ts';
import { Criu } from '../../criu.ts';
import { CriuError } from '../../errors.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import type { Standing__Output } from '../../generated/types/node_criu/Standing.ts';
import type { Client } from '../../operations/client.ts';
import type { DumpOptions } from '../../operations/dump.ts';
import type { Hooks } from '../../options/types.ts';
import { StoppedTree } from '../../postcopy/stopped-tree.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { stateOf } from '../../procfs/stat.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { Journal } from '../journal/journal.ts';
import {
  logsOf,
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingImages,
  outgoingIn,
  type Undone,
} from '../journal/outgoing-journal.ts';
import type { Credentials } from '../protocol/credentials.ts';
import { connectPages } from '../protocol/page-listener.ts';
import { PageTunnel } from '../protocol/page-tunnel.ts';
import type { Destination } from '../protocol/service.ts';
import type { SourceState } from '../protocol/states.ts';
import { unresolved } from './commit.ts';
import type { EventQueue, MigrationEvent, MigrationPhase } from './events.ts';
import { explained, failure } from './failures.ts';
import type { MigrateOptions, MigrationMode, MigrationResult } from './migrate.ts';
import { makeOffer } from './offering.ts';
import { moveMemoryLast } from './postcopy-transfer.ts';
import { moveMemoryFirst } from './precopy-transfer.ts';
import { Progress } from './progress.ts';

const PROGRESS_MS = 250;
/** How often the destination hears of us, and we of it: both give up one that is silent. */
const SIGN_OF_LIFE_MS = 1000;
/** How much longer than a destination may be silent what the caller does afterwards may take. */
const PATIENCE = 6;

/** What a migration begins with. */
export interface OutgoingParts {
  readonly id: string;
  readonly pid: number;
  readonly given: MigrateOptions;
  readonly directory: string;
  readonly credentials: Credentials | undefined;
  readonly cancellation: Cancellation;
  readonly destination: Destination;
  readonly start: number;
  readonly events: EventQueue<MigrationEvent>;
}

/**
 * A migration from this host: what its steps share, and how it ends. The steps are makeOffer, then
 * moveMemoryFirst or moveMemoryLast, each with handOver in it.
 */
export class Outgoing {
  readonly id: string;
  readonly pid: number;
  readonly given: MigrateOptions;
  readonly images: string;
  readonly destination: Destination;
  readonly progress: Progress;
  readonly client: Client;
  readonly criu: Criu;
  readonly stallMs: number;
  /** What of the dump has to be undone. */
  undone: Undone = {};
  mode: MigrationMode = 'stop-and-copy';
  /** None before the offer is accepted. */
  journal: OutgoingJournal | undefined;
  /** The connection for the pages of rounds and of a dump. */
  tunnel: PageTunnel | undefined;
  rounds = 0;
  imageBytes = 0;
  lazyBytes: () => number = () => 0;
  stoppedBefore: ReadonlySet<number> = new Set();
  /** Stopped for the hand-over. */
  original: StoppedTree | undefined;
  /** The copy may run from now on: to break off would lose what it does. */
  handedOver = false;
  copy: Standing__Output | undefined;
  readonly #directory: string;
  readonly #credentials: Credentials | undefined;
  readonly #cancellation: Cancellation;
  readonly #aborted = new AbortController();
  /** To take the network lock of the dump off again. */
  #cleanup: Promise<Cleanup> | undefined;
  #frozenAt: number | undefined;
  #downtimeMs = 0;
  #heardAt = 0;
  #switching: Promise<void> | undefined;

  constructor(parts: OutgoingParts) {
    const { id, pid, given, directory, cancellation } = parts;
    this.id = id;
    this.pid = pid;
    this.given = given;
    this.images = outgoingImages(directory, id);
    this.destination = parts.destination;
    this.#directory = directory;
    this.#credentials = parts.credentials;
    this.#cancellation = cancellation;
    this.progress = new Progress(parts.start, parts.events, () => this.#bytes);
    this.client = { path: given.path, defaults: {} };
    this.criu = new Criu(given.path === undefined ? {} : { path: given.path });
    this.stallMs = given.stallMs ?? 10_000;
    cancellation.requested.then(() => {
      if (!this.handedOver) this.abort(cancellation.reason);
    });
    // A criu that waits for the other side fails then, and rolls back by itself.
    this.signal.addEventListener('abort', () => this.tunnel?.[Symbol.dispose]());
  }

  /** Aborted when it breaks off before the hand-over. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  async run(): Promise<MigrationResult> {
    const timers = [
      setInterval(() => this.progress.tell(), PROGRESS_MS),
      setInterval(() => this.#keepInTouch(), SIGN_OF_LIFE_MS),
    ].map((timer) => timer.unref());
    try {
      await this.begin('offer');
      await makePrivateDirectory(this.images);
      const offered = await makeOffer(this);
      await this.begin('connect');
      await this.#move(offered);
      const leftovers = await this.#unlock();
      await this.note('done', { agent: '' });
      await this.begin('done');
      return this.#result(leftovers);
    } catch (error) {
      throw await this.#failed(error as Error);
    } finally {
      for (const timer of timers) clearInterval(timer);
      this.tunnel?.[Symbol.dispose]();
      await this.criu.close();
      (await this.#cleanup?.catch(() => undefined))?.[Symbol.dispose]();
      if (this.journal?.entry?.state !== 'handed-over') {
        await rm(this.images, { recursive: true, force: true });
      }
      await this.journal?.[Symbol.asyncDispose]();
    }
  }

  /** Breaks off, unless it has done so already. */
  abort(reason: unknown): void {
    this.#aborted.abort(reason);
  }

  throwIfAborted(): void {
    this.#cancellation.throwIfRequested();
    this.signal.throwIfAborted();
  }

  /** Writes a step into the journal, which is begun with the first one. */
  async note(state: SourceState, facts: Partial<OutgoingFacts> = {}): Promise<void> {
    this.journal ??= await Journal.create(outgoingIn(this.#directory), this.id);
    await this.journal.write(state, facts);
  }

  async begin(phase: MigrationPhase): Promise<void> {
    this.progress.begin(phase);
    const isOver = phase === 'pages' || phase === 'done';
    if (!isOver) this.throwIfAborted();
    const hook = Promise.resolve(phase).then((now) => this.given.hooks?.phase?.(now));
    if (isOver) await atMost(PATIENCE * this.stallMs, hook).catch(() => {});
    else await unlessAborted(this.signal, hook);
    this.progress.tell();
  }

  /** Begins the phase in which the tree is frozen. */
  async beginDump(): Promise<void> {
    await this.begin('dump');
    this.stoppedBefore = StoppedTree.stoppedIn(this.pid);
    await this.note('offered', { stoppedBefore: [...this.stoppedBefore] });
  }

  /** Hooks of a dump, which tell besides when the tree is frozen, and what it has to lock. */
  followed(own: Hooks | undefined): Hooks {
    const onNotify: Hooks['onNotify'] = async (notification) => {
      if (notification.script === 'query-ext-files') {
        this.#frozenAt = performance.now();
        this.#cleanup = Cleanup.late(descendantsOf(this.pid), this.undone);
        this.#cleanup.catch(() => {});
      }
      await own?.onNotify?.(notification);
    };
    return { ...own, onNotify };
  }

  dumpOptions(hooks: Hooks): DumpOptions {
    return { ...this.given.dump, hooks, signal: this.signal } as DumpOptions;
  }

  /** Asks the destination; without a limit it is waited for as long as there are signs of life. */
  async ask<M extends 'offer' | 'startRound' | 'prepare' | 'ask'>(
    method: M,
    request: Parameters<Destination['call']>[1] & object,
    withinMs?: number,
  ) {
    this.throwIfAborted();
    return await this.destination.call(method, request as never, withinMs, this.signal);
  }

  /** Connects for pages, by a token from the answer to the offer. */
  async connect(port: number, token: Uint8Array): Promise<Socket> {
    const { host } = this.given.to;
    return await connectPages({ host, port }, this.#credentials, token, this.signal);
  }

  /** Connects for the pages of rounds and of a dump. */
  async openTunnel({ pagePort, roundToken }: OfferReply__Output): Promise<PageTunnel> {
    const { rateLimit } = this.given;
    const peer = await this.connect(pagePort, roundToken);
    this.tunnel = new PageTunnel(peer, { rateLimit, stallMs: this.stallMs });
    return this.tunnel;
  }

  /** Moves addresses. What the caller does meanwhile is told to stop if it is aborted. */
  async switchOver(): Promise<void> {
    const { given, signal } = this;
    this.#switching = Promise.resolve().then(() => given.switchOver?.(signal));
    await unlessAborted(signal, this.#switching);
  }

  endOfDowntime(): void {
    this.#downtimeMs = performance.now() - (this.#frozenAt ?? performance.now());
  }

  async #move(offered: OfferReply__Output): Promise<void> {
    this.#heardAt = performance.now();
    if (this.mode === 'post-copy' || this.mode === 'hybrid') {
      await moveMemoryLast(this, offered);
    } else {
      const { criuFd } = await this.openTunnel(offered);
      await criuFd.use((fd) => moveMemoryFirst(this, fd));
    }
  }

  /**
   * A network that stands still shows in nothing else if all that was sent is in its buffers: criu
   * would wait for an answer, with the tree frozen.
   */
  async #keepInTouch(): Promise<void> {
    if (this.progress.phase === 'offer') return;
    const { id, stallMs } = this;
    try {
      await this.destination.call('ask', { id }, stallMs);
      this.#heardAt = performance.now();
    } catch (error) {
      if (this.handedOver || performance.now() - this.#heardAt < stallMs) return;
      this.abort(failure(`the destination has not answered for ${stallMs} ms`, error));
    }
  }

  /** Takes the lock off that CRIU leaves for a restore here, which will not be. Tells what stays. */
  async #unlock(): Promise<string[]> {
    try {
      const log = await logsOf(this.images, this.undone.logFile);
      return (await (await this.#cleanup)?.unlock(log)) ?? [];
    } catch (error) {
      // The copy runs: that is no failure of the migration.
      return [`the lock of the network (${(error as Error).message})`];
    }
  }

  // --- After a failure ------------------------------------------------------------------------------

  async #failed(error: Error): Promise<CriuError> {
    const { state } = this.journal?.entry ?? {};
    if (state === 'handed-over') {
      await this.note('handed-over', { agent: '' }).catch(() => {});
      return error instanceof CriuError && error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED'
        ? error
        : unresolved(this.id, this.pid, error);
    }
    const reason = this.signal.aborted && isOurs(this.signal.reason) ? this.signal.reason : error;
    // Should that not be possible, 'offered' means the same.
    if (state === 'offered') await this.note('aborting').catch(() => {});
    if (state !== undefined) await this.#tellDestination(reason.message);
    const back = await this.#switchBack();
    this.original?.resume();
    if (state !== undefined) await this.note('aborted', { agent: '' }).catch(() => {});
    return explained(reason, {
      ...{ id: this.id, pid: this.pid, phase: this.progress.phase, workload: stateOf(this.pid) },
      cancelled: this.handedOver ? undefined : this.#cancellation.reason,
      back,
    });
  }

  /** It would give the migration up by itself, but later. */
  async #tellDestination(reason: string): Promise<void> {
    this.destination.call('abort', { id: this.id, reason }, 2000).catch(() => {});
    await this.destination.call('ask', { id: this.id }, 2000).catch(() => {});
  }

  async #switchBack(): Promise<Error | undefined> {
    if (!this.#switching) return undefined;
    const withinMs = PATIENCE * this.stallMs;
    // The one must not be undone while it is being done.
    await atMost(withinMs, this.#switching).catch(() => {});
    const back = Promise.resolve().then(() => this.given.switchBack?.());
    return await atMost(withinMs, back).then(
      () => undefined,
      (cause: Error) => cause,
    );
  }

  // --- Afterwards -----------------------------------------------------------------------------------

  get #bytes(): number {
    return (this.tunnel?.sent ?? 0) + this.lazyBytes() + this.imageBytes;
  }

  #result(leftovers: readonly string[]): MigrationResult {
    return {
      ...{ id: this.id, pid: this.copy?.pid ?? 0, mode: this.mode, rounds: this.rounds },
      ...{ bytes: this.#bytes, downtimeMs: this.#downtimeMs },
      totalMs: performance.now() - this.progress.start,
      ...{ phases: this.progress.phases, leftovers },
    };
  }
}

/** Whether the migration has broken off by itself, and not because something else has. */
function isOurs(reason: unknown): reason is CriuError {
  return reason instanceof CriuError && reason.code === 'ERR_CRIU_MIGRATION_FAILED';
}
