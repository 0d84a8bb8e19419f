import { rm, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtins } from '../../builtins.ts';
import { SerialQueue } from '../../concurrency/serial-queue.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import type { OfferRequest__Output } from '../../generated/types/node_criu/OfferRequest.ts';
import type { PageServer } from '../../operations/page-server.ts';
import { receiveImages } from '../protocol/image-transfer.ts';
import { TOKEN_SIZE } from '../protocol/page-listener.ts';
import { PageTunnel } from '../protocol/page-tunnel.ts';
import type { Hosting } from './incoming.ts';

/** How long CRIU's page server may take to end once a dump has taken leave of it, in milliseconds. */
const PAGE_SERVER_MS = 10_000;
/** More than any policy makes; each is a directory. */
const MAX_ROUNDS = 1000;
/** What images may have besides the memory, in bytes. */
const MAX_IMAGE_BYTES = 1 << 30;
const MAX_FILES = 100_000;

/** Whether memory comes after the copy runs. */
export function isLazy({ mode }: { readonly mode: string }): boolean {
  return mode === 'post-copy' || mode === 'hybrid';
}

/** What comes for a copy before it is made: the pages of rounds, and images. */
export class Arrival implements AsyncDisposable {
  readonly roundToken = builtins.crypto.randomBytes(TOKEN_SIZE);
  readonly lazyToken = builtins.crypto.randomBytes(TOKEN_SIZE);
  readonly #offer: OfferRequest__Output;
  readonly #hosting: Hosting;
  readonly #over: AbortSignal;
  readonly #requireOpen: () => void;
  /** For all images of a migration together. */
  readonly #allowance: { bytes: number; files: number };
  readonly #images: string;
  #rounds: PageTunnel | undefined;
  #lazy: PageTunnel | undefined;
  #pageServer: PageServer | undefined;
  /** How many rounds were begun. */
  #begun = 0;
  #isFinished = false;
  readonly #queue = new SerialQueue();

  /**
   * @param over ends what is under way
   * @param requireOpen throws if nothing may come any more
   */
  constructor(
    hosting: Hosting,
    offer: OfferRequest__Output,
    over: AbortSignal,
    requireOpen: () => void,
  ) {
    this.#hosting = hosting;
    this.#offer = offer;
    this.#over = over;
    this.#requireOpen = requireOpen;
    this.#allowance = { bytes: offer.memory + MAX_IMAGE_BYTES, files: MAX_FILES };
    this.#images = join(hosting.directory, 'images', offer.id);
    this.#expect();
  }

  /** Where the images of a round go. */
  directoryOf(index: number): string {
    return join(this.#images, String(index));
  }

  /** The connection on which lazy pages are asked for. */
  get lazy(): PageTunnel | undefined {
    return this.#lazy;
  }

  /** Starts to take the pages of a round, the one after the last. */
  async startRound(index: number): Promise<void> {
    await this.#runStep(async () => {
      if (index !== this.#begun || index >= MAX_ROUNDS) {
        throw new Error(`round ${index} does not come after ${this.#begun} rounds`);
      }
      const tunnel = this.#rounds;
      if (!tunnel) throw new Error('there is no connection for pages yet');
      await this.#endOfRound();
      this.#requireOpen();
      this.#begun++;
      this.#pageServer = await tunnel.criuFd.use((fd) =>
        this.#hosting.criu.pageServer({
          imagesDirectory: this.directoryOf(index),
          ...(index > 0 && { parentImage: `../${index - 1}` }),
          pageServer: { fd },
          signal: this.#over,
        }),
      );
    });
  }

  /** Takes images of the dump, which is the last round. */
  async takeImages(
    index: number,
    stream: Readable,
    parts: AsyncIterable<ImagePart__Output>,
  ): Promise<void> {
    await this.#runStep(async () => {
      this.#requireLast(index);
      addAbortSignal(this.#over, stream);
      await receiveImages(parts, this.directoryOf(index), this.#allowance);
    });
  }

  /** Everything has come: nothing is taken any more. */
  async finish(index: number, lazy: boolean): Promise<void> {
    await this.#runStep(async () => {
      this.#requireLast(index);
      if (lazy !== isLazy(this.#offer)) throw new Error(`it was offered as ${this.#offer.mode}`);
      this.#isFinished = true;
      await this.#endOfRound();
      this.#requireOpen();
      if (lazy && index > 0)
        await symlink(`../${index - 1}`, join(this.directoryOf(index), 'parent'));
    });
  }

  /** Ends what is under way, and removes what has come: it is memory, and of no more use. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.idle();
    await this.#pageServer?.close();
    this.#rounds?.[Symbol.dispose]();
    this.#lazy?.[Symbol.dispose]();
    await rm(this.#images, { recursive: true, force: true });
  }

  /** A dump with a page server is a round of its own; lazy pages are in none. */
  #requireLast(index: number): void {
    const last = isLazy(this.#offer) ? this.#begun : this.#begun - 1;
    if (index !== last) throw new Error(`the dump is not round ${index}`);
  }

  /** The pages of the last round have to be there, whole. */
  async #endOfRound(): Promise<void> {
    const server = this.#pageServer;
    if (!server) return;
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#over]);
    const late = sleep(PAGE_SERVER_MS, undefined, { signal }).catch(() => undefined);
    const status = await Promise.race([server.exited, late]);
    ended.abort();
    if (status?.code === 0) {
      this.#pageServer = undefined;
      return;
    }
    const log = await server.log();
    const said = log?.errors.at(-1) ?? (status ? 'it was killed' : 'it has not ended');
    await server.close();
    throw new Error(`the page server of the last round has failed: ${said}`);
  }

  #expect(): void {
    const { pageListener, stallMs } = this.#hosting;
    const stop = [
      pageListener.expect(this.roundToken, (peer: Socket) => {
        this.#rounds = new PageTunnel(peer, { stallMs });
      }),
      pageListener.expect(this.lazyToken, (peer: Socket) => {
        this.#lazy = new PageTunnel(peer, { stallMs, awaitsAnswers: true });
      }),
    ];
    this.#over.addEventListener('abort', () => {
      for (const one of stop) one();
    });
  }

  /**
   * Runs one step after the other, whatever the source asks at once. If the migration ends during a
   * step, the reason for that replaces the step's own error.
   */
  async #runStep(step: () => Promise<void>): Promise<void> {
    await this.#queue.run(async () => {
      this.#requireOpen();
      if (this.#isFinished) throw new Error('its copy is made already');
      await step().finally(this.#requireOpen);
    });
  }
}
