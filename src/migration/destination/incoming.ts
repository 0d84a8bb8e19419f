import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import type { Criu } from '../../criu.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { Client } from '../../operations/client.ts';
import type { RestoreOptions } from '../../operations/restore.ts';
import type { LazyRestored } from '../../postcopy/lazy-restore.ts';
import { descendantsOf } from '../../procfs/tree.ts';
import {
  type How,
  type IncomingFacts,
  type IncomingJournal,
  journalsOf,
} from '../journal/incoming-journal.ts';
import { Journal } from '../journal/journal.ts';
import { namesOf, startTimeOf, thisAgent } from '../protocol/identity.ts';
import type { PageListener } from '../protocol/page-listener.ts';
import { afterRestart, type DestinationState, mayAbort } from '../protocol/states.ts';
import { Arrival } from './arrival.ts';
import { HeldCopy } from './held-copy.ts';
import { endCopy, wasLetGo } from './recover.ts';

/** What all migrations to this host share. */
export interface Hosting {
  readonly client: Client;
  readonly criu: Criu;
  readonly directory: string;
  readonly restore: Partial<RestoreOptions>;
  readonly pageListener: PageListener;
  /** How long a source may be silent before anything runs, in milliseconds. */
  readonly holdMs: number;
  readonly stallMs: number;
  /** Is told of every new state. */
  readonly changed: (incoming: Incoming) => void;
}

/** One migration to this host: its state, and what belongs to it. */
export class Incoming {
  readonly id: string;
  /** Who may speak of it: the fingerprint of the source's certificate. */
  readonly peer: string;
  readonly offer: OfferRequest__Output;
  readonly #hosting: Hosting;
  readonly #journal: IncomingJournal;
  readonly #closed = new AbortController();
  readonly #arrival: Arrival;
  #preparing: Promise<How> | undefined;
  #copy: HeldCopy | undefined;
  #pages: Promise<number> | undefined;
  #handingOver: Promise<How> | undefined;
  #heardAt = performance.now();
  readonly #told = new AbortController();
  #silence: NodeJS.Timeout | undefined;
  /**
   * Runs one decision after the other: each depends on the journal, and is in effect once the journal
   * has it. Otherwise the copy could be let go while it is aborted.
   */
  readonly #decisions = new SerialQueue();

  /** Begins one. @throws CriuError if it was begun before */
  static async begin(
    hosting: Hosting,
    offer: OfferRequest__Output,
    peer: string,
  ): Promise<Incoming> {
    const journal = await Journal.create<DestinationState, IncomingFacts>(
      journalsOf(hosting.directory),
      offer.id,
    );
    const incoming = new Incoming(hosting, offer, peer, journal);
    await incoming.#write('receiving', { agent: thisAgent() });
    incoming.heard();
    return incoming;
  }

  private constructor(
    hosting: Hosting,
    offer: OfferRequest__Output,
    peer: string,
    journal: IncomingJournal,
  ) {
    this.#hosting = hosting;
    this.offer = offer;
    this.id = offer.id;
    this.peer = peer;
    this.#journal = journal;
    this.#arrival = new Arrival(hosting, offer, this.#closed.signal, () =>
      this.#require('receiving'),
    );
  }

  /** The one-time tokens of its connections for pages. */
  get tokens(): { readonly roundToken: Buffer; readonly lazyToken: Buffer } {
    const { roundToken, lazyToken } = this.#arrival;
    return { roundToken, lazyToken };
  }

  /** Whether it is neither complete nor given up. */
  get isOpen(): boolean {
    return ['receiving', 'prepared', 'resuming', 'resumed'].includes(this.how.state);
  }

  /** How it stands. */
  get how(): How {
    const { state = 'unknown', pid = 0, message = '' } = this.#journal.entry ?? {};
    return { state, pid, message, pages: 0 };
  }

  /** The source has been heard of: it is waited for anew. */
  heard(): void {
    this.#heardAt = performance.now();
    clearTimeout(this.#silence);
    if (!mayAbort(this.how.state) || this.how.state === 'aborted') return;
    const { holdMs } = this.#hosting;
    this.#silence = setTimeout(() => {
      this.abort(`the source was silent for ${holdMs} ms`).catch(() => {});
    }, holdMs).unref();
  }

  /** The source hears how it stands, and acts upon that. */
  told(): void {
    if (!this.isOpen) this.#told.abort();
  }

  /** Starts to take the pages of a round. */
  async startRound(index: number): Promise<How> {
    await this.#arrival.startRound(index);
    return this.how;
  }

  /** Takes images of the dump; a stream that goes on when the migration is given up ends. */
  async takeImages(
    index: number,
    stream: Readable,
    parts: AsyncIterator<ImagePart__Output>,
  ): Promise<How> {
    await this.#arrival.takeImages(index, stream, this.#hearing(parts));
    return this.how;
  }

  async *#hearing<Part>(parts: AsyncIterator<Part>): AsyncIterable<Part> {
    for await (const part of { [Symbol.asyncIterator]: () => parts }) {
      this.heard();
      yield part;
    }
  }

  /** Restores, and holds before anything runs. To be asked again is no harm. */
  async prepare(index: number, lazy: boolean): Promise<How> {
    this.#preparing ??= this.#prepare(index, lazy);
    await this.#preparing;
    return this.how;
  }

  async #prepare(index: number, lazy: boolean): Promise<How> {
    await this.#arrival.finish(index, lazy);
    this.#require('receiving');
    const from = { arrival: this.#arrival, index, lazy };
    this.#copy = new HeldCopy(this.#hosting, this.offer, from, this.#closed.signal);
    const pid = await this.#copy.held;
    await this.#decisions.run(async () => {
      // It may have been aborted meanwhile.
      this.#require('receiving');
      await this.#write('prepared', {
        ...{ pid, startTime: startTimeOf(pid) ?? '', lazy },
        tree: namesOf(descendantsOf(pid)),
      });
    });
    return this.how;
  }

  /** Lets the copy run. To be asked again is no harm. */
  async handOver(): Promise<How> {
    if (this.how.state === 'prepared') this.#handingOver ??= this.#letRun();
    await this.#handingOver;
    return this.how;
  }

  /** Resolves when every page is there, or will not be. */
  async awaitPages(): Promise<How> {
    const pages = await this.#pages?.catch(() => 0);
    return { ...this.how, pages: pages ?? 0 };
  }

  /** Ends it, unless its copy may have run. */
  async abort(message: string): Promise<How> {
    const isMine = await this.#decisions.run(async () => {
      if (!mayAbort(this.how.state) || this.how.state === 'aborted') return false;
      // First on disk: from now on the source may let its original run.
      await this.#write('aborted', { message });
      return true;
    });
    if (!isMine) return this.how;
    this.#closed.abort();
    this.#copy?.release(false);
    await this.#copy?.restored.catch(() => {});
    await this.#end();
    return this.how;
  }

  /**
   * Lets go of it when this host serves no more: what may be given up is; what runs runs on, once it has
   * all of its memory and the source knows. One that is silent is not waited for.
   */
  async leave(): Promise<void> {
    const mayAsk = this.how.state !== 'receiving';
    await this.abort('the destination was closed');
    await this.#handingOver;
    await this.#pages?.catch(() => {});
    clearTimeout(this.#silence);
    const leftMs = Math.max(0, this.#heardAt + this.#hosting.stallMs - performance.now());
    if (mayAsk) await sleep(leftMs, undefined, { signal: this.#told.signal }).catch(() => {});
  }

  async #letRun(): Promise<How> {
    const isMine = await this.#decisions.run(async () => {
      if (this.how.state !== 'prepared') return false;
      await this.#write('resuming');
      return true;
    });
    if (!isMine) return this.how;
    clearTimeout(this.#silence);
    this.#copy?.release(true);
    const lazy = this.#journal.entry?.lazy === true;
    this.#endWithoutSource();
    try {
      const restored = await this.#copy?.restored;
      if (!lazy) {
        await this.#write('complete');
        await this.#end();
        return this.how;
      }
      await this.#write('resumed');
      this.#pages = this.#watchPages((restored as LazyRestored).pagesDone);
      this.#pages.catch(() => {});
      return this.how;
    } catch (error) {
      await this.#failed(error as Error);
      return this.how;
    }
  }

  /** A restore that fails once it was let go: CRIU has killed the copy, or it runs all the same. */
  async #failed({ message }: Error): Promise<void> {
    const entry: Partial<IncomingFacts> = this.#journal.entry ?? {};
    const { lazy = false } = entry;
    const next = afterRestart('resuming', { runs: await wasLetGo(entry), lazy });
    if (next !== 'complete') await endCopy(entry);
    await this.#write(next, { message });
    await this.#end();
  }

  /** A daemon that has not noticed that its connection is gone would let the copy wait for ever. */
  #endWithoutSource(): void {
    this.#arrival.lazy?.closed
      .then(() => sleep(this.#hosting.stallMs, undefined, { ref: false }))
      .then(() => this.#closed.abort());
  }

  async #watchPages(pagesDone: LazyRestored['pagesDone']): Promise<number> {
    try {
      const { pages } = await pagesDone.catch(async (error: Error) => {
        // lazyRestore has killed its root, and what was below that.
        await endCopy(this.#journal.entry ?? {});
        await this.#write('failed', { message: error.message });
        throw error;
      });
      await this.#write('complete');
      return pages;
    } finally {
      await this.#end();
    }
  }

  #require(state: DestinationState): void {
    const { state: now, message } = this.how;
    if (now !== state) throw new Error(`the migration is ${now}${message ? `: ${message}` : ''}`);
  }

  async #write(state: DestinationState, facts: Partial<IncomingFacts> = {}): Promise<void> {
    await this.#journal.write(state, facts);
    this.#hosting.changed(this);
  }

  /** Gives back all but the copy. */
  async #end(): Promise<void> {
    clearTimeout(this.#silence);
    this.#closed.abort();
    await this.#journal[Symbol.asyncDispose]();
    await this.#arrival[Symbol.asyncDispose]();
  }
}
