import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../concurrency/deadline.ts';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { LazyMemory } from '../../images/lazy-memory.ts';
import type { LazyRestored } from '../../postcopy/lazy-restore.ts';
import { statusOf } from '../../procfs/status.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import { isOwnCriu } from '../../worker/child.ts';
import { namesOf, startTimeOf } from '../protocol/identity.ts';
import { fromOfferedOptions } from '../protocol/offered-options.ts';
import { peerText } from '../protocol/peer-text.ts';
import type { RefusalCode } from '../protocol/refusals.ts';
import { PATIENCE } from '../protocol/stall-limit.ts';
import { afterRestart } from '../protocol/states.ts';
import type { CopyStatus } from '../protocol/status.ts';
import { announceAddresses, makeBindable, takeAddresses } from './addresses/incoming-addresses.ts';
import { Arrival } from './arrival.ts';
import { HeldCopy } from './held-copy.ts';
import { IncomingRecord } from './incoming-record.ts';
import { prepareLazyImages } from './lazy-images.ts';
import { completeStatus, endCopy, wasReleased } from './recover.ts';
import {
  checkRestoreOptions,
  type IncomingMigration,
  type MigrationOffer,
  type MigrationPeer,
  SERVE,
} from './serve-options.ts';
import type { AdmittedOffer, ServerContext } from './server-context.ts';
import { SilenceTimer } from './silence-timer.ts';

/** How the source asks for the restore. */
export interface Preparation {
  /** The index of the dump. */
  readonly index: number;
  /** True if the memory follows from the source. */
  readonly lazy: boolean;
  /** True if the copy may run before it has read its memory from the images. */
  readonly lazyRestore: boolean;
}

/** One migration to this host: its journal, and what it holds. */
export class Incoming {
  readonly offer: MigrationOffer;
  readonly peer: MigrationPeer;
  readonly #context: ServerContext;
  readonly #received: AdmittedOffer;
  readonly #record: IncomingRecord;
  readonly #arrival: Arrival;
  readonly #silence: SilenceTimer;
  /**
   * Runs decisions one at a time: each depends on the last line of the journal and appends one. Two at
   * a time could release a copy and abort it.
   */
  readonly #decisions = new SerialQueue();
  readonly #closed = new AbortController();
  readonly #sourceKnowsEnd = new AbortController();
  #copy: HeldCopy | undefined;
  #preparing: Promise<void> | undefined;
  #committing: Promise<CopyStatus> | undefined;
  #pages: Promise<number> | undefined;
  /** Why no more pages come. */
  #pagesFailure: string | undefined;
  #ending: Promise<unknown> | undefined;

  /** Creates the journal. @throws CriuError ERR_CRIU_MIGRATION_REFUSED if there was such a migration */
  static async begin(context: ServerContext, received: AdmittedOffer): Promise<Incoming> {
    const { directory, hooks } = context;
    const { offer, peer } = received;
    const record = await IncomingRecord.create(directory, offer.id, hooks, peer);
    const incoming = new Incoming(context, received, record);
    incoming.heardSource();
    return incoming;
  }

  private constructor(context: ServerContext, received: AdmittedOffer, record: IncomingRecord) {
    this.offer = received.offer;
    this.peer = received.peer;
    this.#context = context;
    this.#received = received;
    this.#record = record;
    this.#arrival = new Arrival(context, received.offer, this.#closed.signal, {
      requireOpen: () => record.requireReceiving(),
      onHungUp: () => void this.abort('the source has hung up').catch(() => {}),
      onExcess: (message, code) => void this.abort(message, code).catch(() => {}),
    });
    record.countBytes = () => this.#arrival.received;
    this.#silence = new SilenceTimer(context.holdMs, () => {
      this.abort(`the source was silent for ${context.holdMs} ms`).catch(() => {});
    });
  }

  get id(): string {
    return this.offer.id;
  }

  /** The one-time tokens of the connections for pages. */
  get tokens(): { readonly roundToken: Buffer; readonly lazyToken: Buffer } {
    const { roundToken, lazyToken } = this.#arrival;
    return { roundToken, lazyToken };
  }

  /** The status to answer, for which a copy that is complete has to be left. */
  get status(): CopyStatus {
    const { status, facts } = this.#record;
    return status.state === 'complete' ? completeStatus(status, facts) : status;
  }

  /** The status for the users of the server. */
  get migration(): IncomingMigration {
    return this.#record.migration;
  }

  /** True until the migration is complete, aborted or failed. */
  get isOpen(): boolean {
    return this.#record.isOpen;
  }

  /** Notes a call of the source, whose silence aborts the migration as long as the copy does not run. */
  heardSource(): void {
    this.#silence.heard(this.#record.canAbort);
  }

  /** Notes that the source has received an answer that it acts on. */
  onAnswerDelivered(): void {
    if (!this.isOpen) this.#sourceKnowsEnd.abort();
  }

  /** Starts to receive the pages of a round. */
  async startRound(index: number): Promise<CopyStatus> {
    await this.#arrival.startRound(index);
    return this.status;
  }

  /** Receives images of the dump. */
  async receiveImages(
    index: number,
    stream: Readable,
    parts: AsyncIterator<ImagePart__Output>,
  ): Promise<CopyStatus> {
    await this.#arrival.receiveImages(index, stream, this.#listening(parts));
    return this.status;
  }

  async *#listening<Part>(parts: AsyncIterator<Part>): AsyncIterable<Part> {
    for await (const part of { [Symbol.asyncIterator]: () => parts }) {
      this.heardSource();
      yield part;
    }
  }

  /** Restores the copy, and holds it before it runs. Idempotent. */
  async prepare(preparation: Preparation): Promise<CopyStatus> {
    this.#preparing ??= this.#prepare(preparation);
    await this.#preparing;
    return this.status;
  }

  async #prepare(preparation: Preparation): Promise<void> {
    const { client, hooks } = this.#context;
    const { index, lazy } = preparation;
    await this.#arrival.finish(index, lazy);
    const memory = await this.#lazyMemory(preparation);
    const imagesDirectory = this.#arrival.directoryOf(index);
    const migration = { id: this.id, offer: this.offer, peer: this.peer, imagesDirectory };
    await this.#decisions.run(async () => {
      this.#record.requireReceiving();
      await this.#record.noteSetUp();
      const { addresses } = this.#received;
      if (addresses.length === 0) return;
      await this.#record.note({ addresses, addressesOn: 'lo' });
      await makeBindable(this.#record.facts);
    });
    const late: unknown = await hooks.beforeRestore?.(migration);
    this.#record.requireReceiving();
    const { request, restore } = this.#received;
    this.#copy = new HeldCopy(client, {
      options: {
        ...fromOfferedOptions(request),
        ...restore,
        ...checkRestoreOptions(late ?? {}, {}),
        imagesDirectory,
        signal: this.#closed.signal,
      },
      memory,
      source: lazy ? this.#arrival.lazyTunnel : undefined,
      onRestored: (pid) => hooks.afterRestore?.({ ...migration, pid }),
    });
    const pid = await this.#copy.held;
    await this.#decisions.run(async () => {
      this.#record.requireReceiving();
      await this.#record.write('prepared', {
        ...{ pid, startTime: startTimeOf(pid) ?? '', lazy: memory !== undefined },
        tree: namesOf(descendantsOf(pid)),
        criu: namesOf(restorersOf(pid)),
      });
    });
  }

  /** The memory that comes after the copy runs: from its images only if that is possible and gains time. */
  async #lazyMemory({ index, lazy, lazyRestore }: Preparation): Promise<LazyMemory | undefined> {
    if (lazy && !this.#arrival.lazyTunnel)
      throw new Error('the connection for lazy pages is not open');
    if (!lazy && (!lazyRestore || !this.#received.lazyPages)) return undefined;
    return await prepareLazyImages(this.#arrival.directoryOf(index), lazy);
  }

  /** Lets the copy run. Idempotent. */
  async commit(): Promise<CopyStatus> {
    if (this.status.state === 'prepared') {
      this.#committing ??= this.#commit().catch((error) => {
        // The line could not be written, because the disk is full for example: the next call tries again.
        this.#committing = undefined;
        throw error;
      });
      // The copy has just been seen to run: a program that ends at once has migrated.
      return await this.#committing;
    }
    await this.#committing;
    return this.status;
  }

  async #commit(): Promise<CopyStatus> {
    const mayRun = await this.#decisions.run(async () => {
      if (this.status.state !== 'prepared') return false;
      const { addresses } = this.#received;
      await this.#record.write('resuming', addresses.length > 0 ? { addressesOn: 'device' } : {});
      return true;
    });
    if (!mayRun) return this.#record.status;
    this.#silence.stop();
    try {
      // Only now: a copy that is held would acknowledge packets that the original never gets.
      await takeAddresses(this.#record.facts);
      this.#copy?.release(true);
      this.#closeWithoutSource();
      const lazyRestored = await this.#copy?.running;
      await announceAddresses(this.#record.facts).catch(() => {});
      if (!lazyRestored) {
        await this.#record.write('complete', { addressesOn: '' });
        // The source waits for the answer, with nobody served: the images take their time to remove.
        this.#end().catch(() => {});
      } else {
        await this.#record.write('resumed');
        this.#pages = this.#watchPages(lazyRestored.pagesDone);
        this.#pages.catch(() => {});
      }
    } catch (error) {
      this.#copy?.release(false);
      await this.#copy?.running.catch(() => {});
      await this.#restoreFailed(error as Error);
    }
    return this.#record.status;
  }

  /** Resolves once every page has arrived, or it is certain that some page never will. */
  async awaitPages(): Promise<CopyStatus> {
    const { isOpen } = this;
    const pages = await this.#pages?.catch(() => undefined);
    return { ...(isOpen ? this.#record.status : this.status), pages };
  }

  /** Ends the migration, unless the copy may have run. */
  async abort(message: string, refusal?: RefusalCode): Promise<CopyStatus> {
    const isAborted = await this.#decisions.run(async () => {
      if (!this.#record.canAbort) return false;
      // Durable first: from now on the source may resume its original.
      const why = { message: peerText(message), ...(refusal && { refusal }) };
      await this.#record.write('aborted', why);
      return true;
    });
    if (!isAborted) return this.status;
    await this.#record.dropAddresses();
    this.#closed.abort();
    this.#copy?.release(false);
    await this.#copy?.running.catch(() => {});
    await this.#end();
    return this.status;
  }

  /**
   * Closes the migration with its server: aborts it if the copy has not run. Otherwise waits until the
   * copy has all of its memory, the source knows that or is silent, and the hooks have returned.
   */
  async close(): Promise<void> {
    const sourceMayAsk = this.status.state !== 'receiving';
    await this.abort('the destination was closed');
    await this.#committing;
    await this.#pages?.catch(() => {});
    this.#silence.stop();
    const { signal } = this.#sourceKnowsEnd;
    const leftMs = Math.max(0, this.#context.stallMs - this.#silence.silentForMs);
    if (sourceMayAsk) await sleep(leftMs, undefined, { signal }).catch(() => {});
    await this.#awaitHooks();
  }

  /** Awaits the hooks around the restore, for a limited time: a hook may never return. */
  async #awaitHooks(): Promise<void> {
    const limitMs = PATIENCE * this.#context.stallMs;
    const haveReturned = this.#ending?.then(() => true) ?? Promise.resolve(true);
    if (await within(limitMs, haveReturned, false)) return;
    process.emitWarning(
      `${SERVE}: beforeRestore or afterMigration of migration ${this.id} has not returned within ${limitMs} ms; the next server in the directory calls afterMigration again`,
    );
    await this.#record.close();
  }

  /** A restore that fails after its release: CRIU has killed the copy, or the copy runs nevertheless. */
  async #restoreFailed({ message }: Error): Promise<void> {
    const { facts } = this.#record;
    const { lazy = false } = facts;
    const runs = await wasReleased(facts);
    const next = afterRestart('resuming', { runs, isFromEarlierBoot: false, lazy });
    if (next !== 'complete') {
      await this.#record.dropAddresses();
      await endCopy(facts);
    }
    await this.#record.write(next, { message, ...(next === 'complete' && { addressesOn: '' }) });
    await this.#end();
  }

  /** Closes when the source is gone: the lazy-pages daemon might never end, and the copy wait forever. */
  #closeWithoutSource(): void {
    this.#arrival.lazyTunnel?.closed
      .then((failure) => {
        this.#pagesFailure ??= failure?.message;
        return sleep(this.#context.stallMs, undefined, { ref: false });
      })
      .then(() => this.#closed.abort());
  }

  async #watchPages(pagesDone: LazyRestored['pagesDone']): Promise<number> {
    try {
      const { pages } = await pagesDone.catch(async (error: Error) => {
        // lazyRestore() has killed only the root and its descendants.
        await this.#record.dropAddresses();
        await endCopy(this.#record.facts);
        // The daemon only says that its connection has ended.
        const causes = this.#pagesFailure === undefined ? [] : [this.#pagesFailure];
        await this.#record.write('failed', { message: [...causes, error.message].join(': ') });
        throw error;
      });
      await this.#record.write('complete', { addressesOn: '' });
      return pages;
    } finally {
      await this.#end();
    }
  }

  /** Releases everything but the copy. The caller of an RPC does not wait for the hook. */
  async #end(): Promise<void> {
    this.#silence.stop();
    this.#closed.abort();
    const removed = this.#arrival[Symbol.asyncDispose]();
    this.#ending ??= Promise.all([removed, this.#tearDown()]);
    this.#ending.catch(() => {});
    await (this.#record.facts.isSetUp ? removed : this.#ending);
  }

  async #tearDown(): Promise<void> {
    // The hook beforeRestore may still run.
    await this.#preparing?.catch(() => {});
    await this.#record.tearDown();
    await this.#record.close();
  }
}

/** The criu that restores a process: its parent, or its tracer. */
function restorersOf(pid: number): number[] {
  const { parent = 0, tracer = 0 } = statusOf(pid) ?? {};
  return [parent, tracer].filter(isOwnCriu);
}
