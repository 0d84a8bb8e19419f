import { rm, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtins } from '../../builtins.ts';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import { PageServer } from '../../operations/page-server.ts';
import { ByteCount } from '../journal/byte-count.ts';
import { incomingImages } from '../journal/incoming-journal.ts';
import { type Allowance, receiveImages } from '../protocol/image-transfer.ts';
import { isPostcopy } from '../protocol/modes.ts';
import { PageBudget } from '../protocol/page-budget.ts';
import { TOKEN_SIZE } from '../protocol/page-listener.ts';
import { PageTunnel } from '../protocol/page-tunnel.ts';
import type { RefusalCode } from '../protocol/refusals.ts';
import type { MigrationOffer } from './serve-options.ts';
import type { ServerContext } from './server-context.ts';
import { imageBytes } from './traffic.ts';

/** How long CRIU's page server may take to exit after the dump has closed its connection, in milliseconds. */
const PAGE_SERVER_MS = 10_000;
/** More rounds than any policy makes; each takes a directory. */
const MAX_ROUNDS = 1000;
/** How large all images may be besides the memory, in bytes. */
const MAX_IMAGE_BYTES = 1 << 30;
const MAX_FILES = 100_000;

interface ArrivalEvents {
  /** Throws if the migration does not accept data any more. */
  readonly requireOpen: () => void;
  /** Called if the source ends a connection for pages before everything has arrived. */
  readonly onHungUp: () => void;
  /** Called if the source sends more than it may. */
  readonly onExcess: (message: string, code: RefusalCode) => void;
}

/** Receives the pages of rounds and the images of a migration, before its copy is restored. */
export class Arrival implements AsyncDisposable {
  readonly roundToken = builtins.crypto.randomBytes(TOKEN_SIZE);
  readonly lazyToken = builtins.crypto.randomBytes(TOKEN_SIZE);
  readonly #context: ServerContext;
  readonly #offer: MigrationOffer;
  readonly #signal: AbortSignal;
  readonly #requireOpen: () => void;
  readonly #onHungUp: () => void;
  readonly #onExcess: ArrivalEvents['onExcess'];
  readonly #pages: PageBudget;
  /** For all images of the migration together. */
  readonly #allowance: Allowance;
  readonly #images: string;
  readonly #byteCount: ByteCount;
  /** Runs the steps one at a time, even if the source requests several at once. */
  readonly #steps = new SerialQueue();
  #roundTunnel: PageTunnel | undefined;
  #lazyTunnel: PageTunnel | undefined;
  #pageServer: PageServer | undefined;
  #rounds = 0;
  #received = 0;
  /** What is on disk of it. */
  #stored = 0;
  /** True once the source has been cut off. */
  #isCutOff = false;
  #isFinished = false;

  /** @param signal ends what is under way */
  constructor(
    context: ServerContext,
    offer: MigrationOffer,
    signal: AbortSignal,
    { requireOpen, onHungUp, onExcess }: ArrivalEvents,
  ) {
    this.#context = context;
    this.#offer = offer;
    this.#signal = signal;
    this.#requireOpen = requireOpen;
    this.#onHungUp = onHungUp;
    this.#onExcess = onExcess;
    this.#pages = new PageBudget(offer);
    this.#allowance = { bytes: offer.memoryBytes + MAX_IMAGE_BYTES, files: MAX_FILES };
    this.#images = incomingImages(context.directory, offer.id);
    this.#byteCount = new ByteCount(this.#images, () => this.received);
    this.#expectConnections();
  }

  /** The directory of the images of a round. */
  directoryOf(round: number): string {
    return join(this.#images, String(round));
  }

  /** The connection on which lazy pages are requested; undefined until the source has opened it. */
  get lazyTunnel(): PageTunnel | undefined {
    return this.#lazyTunnel;
  }

  /** Pages and images received so far, in bytes. */
  get received(): number {
    this.#roundTunnel?.reportReceived();
    this.#lazyTunnel?.reportReceived();
    return this.#received;
  }

  /** Starts the page server of the next round. */
  async startRound(index: number): Promise<void> {
    await this.#runStep(async () => {
      if (index !== this.#rounds || index >= MAX_ROUNDS) {
        throw new Error(`round ${index} cannot follow ${this.#rounds} rounds`);
      }
      const tunnel = this.#roundTunnel;
      if (!tunnel) throw new Error('the connection for pages is not open yet');
      await this.#endRound();
      this.#requireOpen();
      this.#rounds++;
      this.#pages.startRound();
      this.#pageServer = await tunnel.criuFd.use((fd) =>
        PageServer.start(this.#context.client, {
          imagesDirectory: this.directoryOf(index),
          ...(index > 0 && { parentImage: `../${index - 1}` }),
          pageServer: { fd },
          durable: false,
          signal: this.#signal,
        }),
      );
    });
  }

  /** Receives images of the dump, which is the last round. */
  async receiveImages(
    index: number,
    stream: Readable,
    parts: AsyncIterable<ImagePart__Output>,
  ): Promise<void> {
    await this.#runStep(async () => {
      this.#requireLastRound(index);
      addAbortSignal(this.#signal, stream);
      await receiveImages(this.#metered(parts), this.directoryOf(index), this.#allowance);
    });
  }

  /** Ends the reception: everything that the restore needs has arrived. */
  async finish(index: number, lazy: boolean): Promise<void> {
    await this.#runStep(async () => {
      this.#requireLastRound(index);
      if (lazy !== isPostcopy(this.#offer.mode)) {
        throw new Error(`the migration was offered as ${this.#offer.mode}`);
      }
      this.#isFinished = true;
      await this.#endRound();
      this.#requireOpen();
      if (lazy && index > 0) {
        await symlink(`../${index - 1}`, join(this.directoryOf(index), 'parent'));
      }
    });
  }

  /** Ends what is under way, and removes the images: they contain memory and are no longer needed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#steps.idle();
    await this.#pageServer?.close();
    this.#roundTunnel?.[Symbol.dispose]();
    this.#lazyTunnel?.[Symbol.dispose]();
    await this.#byteCount[Symbol.asyncDispose]();
    await rm(this.#images, { recursive: true, force: true });
    this.#context.traffic.stored -= this.#stored;
    this.#stored = 0;
  }

  /** Checks the index of the dump: a dump to a page server counts as a round, a lazy dump does not. */
  #requireLastRound(index: number): void {
    const last = isPostcopy(this.#offer.mode) ? this.#rounds : this.#rounds - 1;
    if (index !== last) throw new Error(`the dump is not round ${index}`);
  }

  /** Waits until the pages of the last round are complete on disk. */
  async #endRound(): Promise<void> {
    const server = this.#pageServer;
    if (!server) return;
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#signal]);
    const timeout = sleep(PAGE_SERVER_MS, undefined, { signal }).catch(() => undefined);
    const status = await Promise.race([server.exited, timeout]);
    ended.abort();
    if (status?.code === 0) {
      this.#roundTunnel?.reportReceived();
      this.#pageServer = undefined;
      return;
    }
    const log = await server.log();
    const reason = log?.errors.at(-1) ?? (status ? 'it was killed' : 'it did not exit');
    await server.close();
    throw new Error(`the page server of the last round failed: ${reason}`);
  }

  #expectConnections(): void {
    const { pageListener, stallMs, traffic } = this.#context;
    const metered = (isStored: boolean) => ({
      receiveLimit: traffic.limit,
      onReceived: (bytes: number) => this.#countPages(bytes, isStored),
    });
    const withdraw = [
      pageListener.expect(this.roundToken, (peer: Socket) => {
        this.#roundTunnel = this.#watch(new PageTunnel(peer, { stallMs, ...metered(true) }));
      }),
      pageListener.expect(this.lazyToken, (peer: Socket) => {
        this.#lazyTunnel = this.#watch(
          new PageTunnel(peer, { stallMs, awaitsAnswers: true, ...metered(false) }),
        );
      }),
    ];
    this.#signal.addEventListener('abort', () => {
      for (const token of withdraw) token();
    });
  }

  #countPages(bytes: number, isStored: boolean): void {
    this.#count(bytes, isStored);
    if (this.#pages.take(bytes)) return;
    this.#cutOff('the source has sent more pages than it offered', 'over-limit');
  }

  #count(bytes: number, isStored = true): void {
    const { traffic } = this.#context;
    this.#received += bytes;
    traffic.received += bytes;
    if (!isStored) return;
    this.#stored += bytes;
    traffic.stored += bytes;
    if (traffic.stored <= traffic.maxStored) return;
    const limit = `the ${traffic.maxStored} bytes that it stores of all migrations`;
    this.#cutOff(`the destination has reached ${limit}`, 'no-space');
  }

  /** Cuts the source off. */
  #cutOff(message: string, code: RefusalCode): void {
    if (this.#isCutOff) return;
    this.#isCutOff = true;
    this.#onExcess(message, code);
    // Also once the copy runs, when nothing can be aborted any more.
    this.#lazyTunnel?.[Symbol.dispose]();
  }

  /** Counts images, and delays them to keep within the limit of the server. */
  async *#metered(parts: AsyncIterable<ImagePart__Output>): AsyncGenerator<ImagePart__Output> {
    for await (const part of parts) {
      const bytes = imageBytes(part);
      this.#count(bytes);
      await this.#context.traffic.limit?.wait(bytes, this.#signal);
      yield part;
    }
  }

  #watch(tunnel: PageTunnel): PageTunnel {
    tunnel.closed.then(() => {
      if (!this.#isFinished && !this.#signal.aborted) this.#onHungUp();
    });
    return tunnel;
  }

  /** Runs a step. After an abort, the step rejects with the reason of the abort, not with its consequence. */
  async #runStep(step: () => Promise<void>): Promise<void> {
    await this.#steps.run(async () => {
      this.#requireOpen();
      if (this.#isFinished) throw new Error('the copy is being restored already');
      await step().finally(this.#requireOpen);
    });
  }
}
