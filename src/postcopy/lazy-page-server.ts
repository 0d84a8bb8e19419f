import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { deferred } from '../concurrency/deferred.ts';
import type { RateLimit } from '../concurrency/rate-limit.ts';
import { native } from '../native/index.ts';
import type { TlsOptions } from '../options/types.ts';
import { DestinationListener } from './destination-listener.ts';
import type { Endpoint } from './lazy-dump-options.ts';
import type { PageLedger } from './page-ledger.ts';
import {
  AnswerMeter,
  type Command,
  closeAnswer,
  closeMessage,
  commandOf,
  invalidMessage,
  MESSAGE_SIZE,
  type RequestedPages,
  RequestFilter,
  recordWriter,
  requestedPages,
} from './page-protocol.ts';
import { RateLimiter } from './rate-limiter.ts';

/** After this long without data, the kernel sends a TCP keepalive probe to the peer, in milliseconds. */
const KEEP_ALIVE_MS = 5000;
/** The maximum number of open connections that have not sent a request yet. */
const MAX_WAITING = 16;

/** How the connection of the destination ended: closed properly, or broken off. */
export type Departure = 'closed' | 'lost';

/**
 * Serves the pages of a lazy dump to one destination, as a proxy in front of criu. criu itself
 * would treat the first connection as its destination, and finish when that connection ends. This
 * server waits for a peer that requests pages, accepts no further peers after it, and reports how its
 * connection ended.
 */
export class LazyPageServer implements AsyncDisposable {
  /** Where the server listens; undefined if it was given the connection of its one peer. */
  readonly endpoint: Endpoint | undefined;
  /** Resolves when the destination has disconnected; never if there is none, or if criu ends first. */
  readonly departed: Promise<Departure>;
  readonly #departed = deferred<Departure>();
  readonly #listener: DestinationListener | undefined;
  readonly #criu: Socket;
  readonly #rateLimit: RateLimit | undefined;
  /** Peers that have not sent a request yet. */
  readonly #waiting = new Set<Socket>();
  #ledger: PageLedger | undefined;
  /** The destination. */
  #peer: Socket | undefined;
  #isShut = false;
  #closedByPeer = false;
  #criuEnded = false;

  /**
   * Listens; peers wait until {@link open}.
   * @param takeLocalFd returns the local end of the connection to criu, which the server closes;
   * called once the server listens
   */
  static async listen(
    operation: string,
    takeLocalFd: () => number,
    endpoint: Endpoint,
    tls: TlsOptions | undefined,
  ): Promise<LazyPageServer> {
    const listener = await DestinationListener.listen(operation, endpoint, tls);
    try {
      return new LazyPageServer(socketOf(takeLocalFd()), { listener });
    } catch (error) {
      listener.close();
      throw error;
    }
  }

  /**
   * Serves one given connection, and does not listen.
   * @param rateLimit limits the bytes that go to the peer
   */
  static over(localFd: number, peer: Socket, rateLimit?: RateLimit): LazyPageServer {
    const server = new LazyPageServer(socketOf(localFd), { rateLimit });
    server.#onPeer(peer);
    return server;
  }

  private constructor(
    criu: Socket,
    options: { listener?: DestinationListener; rateLimit?: RateLimit | undefined },
  ) {
    const { listener, rateLimit } = options;
    this.#criu = criu;
    this.#listener = listener;
    this.#rateLimit = rateLimit;
    this.endpoint = listener?.endpoint;
    this.departed = this.#departed.promise;
    // The end of criu is handled where its exit is awaited.
    criu.on('error', () => {});
    criu.once('end', () => {
      this.#criuEnded = true;
    });
    if (listener) listener.onPeer = (peer) => this.#onPeer(peer);
  }

  /** True once a destination has requested pages. */
  get hasServed(): boolean {
    return this.#peer !== undefined;
  }

  /** Begins to serve. Call it once criu is ready. */
  open(ledger: PageLedger): void {
    this.#ledger = ledger;
    for (const peer of this.#waiting) this.#awaitRequest(peer);
  }

  /** Tells criu that the transfer is complete: the original processes end. */
  finish(): void {
    this.#tellCriu(closeMessage());
  }

  /** Makes criu fail and roll back. No further peers are accepted. */
  fail(): void {
    this.#shut();
    this.#tellCriu(invalidMessage());
  }

  /** Ends all connections, including the one to criu. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shut();
    for (const end of [this.#peer, this.#criu]) end?.destroy();
    await this.#listener?.close();
  }

  /** Accepts no further peers, and ends the connections of peers that have not requested pages. */
  #shut(): void {
    this.#isShut = true;
    this.#listener?.close();
    for (const peer of this.#waiting) if (peer !== this.#peer) peer.destroy();
  }

  #onPeer(peer: Socket): void {
    peer.on('error', () => {});
    // While no pages are in transit, nothing else would show that the other host is gone.
    peer.setKeepAlive(true, KEEP_ALIVE_MS);
    if (this.#isShut || this.#waiting.size >= MAX_WAITING) {
      peer.destroy();
      return;
    }
    this.#waiting.add(peer);
    peer.once('close', () => this.#waiting.delete(peer));
    if (this.#ledger) this.#awaitRequest(peer);
  }

  /** Accepts a peer as the destination once it requests pages, or closes properly with none missing. */
  #awaitRequest(peer: Socket): void {
    const readRequest = () => {
      const message: Buffer | null = peer.read(MESSAGE_SIZE);
      if (!message) return;
      peer.off('readable', readRequest);
      const command = message.length === MESSAGE_SIZE ? commandOf(message) : 'unknown';
      const isRequest =
        (command === 'get' && this.#has(requestedPages(message))) ||
        (command === 'close' && this.#ledger?.missing === 0);
      if (!isRequest || this.#isShut) peer.destroy();
      else this.#serve(peer, message);
    };
    peer.on('readable', readRequest);
    readRequest();
  }

  #serve(peer: Socket, firstMessage: Buffer): void {
    this.#peer = peer;
    this.#shut();
    const answers = new AnswerMeter((pid, start, count) => this.#ledger?.sent(pid, start, count));
    const outlet = this.#outletTo(peer);
    const onOther = (command: Command) => {
      if (command === 'close') this.#onClose(answers, outlet);
      else peer.destroy();
    };
    const requests = new RequestFilter(onOther, (pages) => this.#has(pages));
    peer.once('close', () => {
      if (!this.#closedByPeer && !this.#criuEnded) this.#departed.resolve('lost');
    });
    peer.unshift(firstMessage);
    peer.pipe(requests).pipe(this.#criu, { end: false });
    this.#criu.pipe(answers).pipe(outlet);
  }

  #has({ pid, start, count }: RequestedPages): boolean {
    return this.#ledger?.has(pid, start, count) ?? false;
  }

  #outletTo(peer: Socket): Writable {
    const outlet = this.#listener?.isTls ? recordWriter(peer) : peer;
    if (!this.#rateLimit) return outlet;
    const limiter = new RateLimiter(this.#rateLimit);
    limiter.pipe(outlet);
    return limiter;
  }

  /** The destination has no more requests. */
  #onClose(answers: AnswerMeter, outlet: Writable): void {
    this.#closedByPeer = true;
    this.#criu.unpipe();
    this.#criu.resume();
    answers.unpipe();
    // Only the destination gets an answer now: it may have failed nevertheless, and criu must not end yet.
    outlet.end(closeAnswer());
    this.#departed.resolve('closed');
  }

  #tellCriu(message: Buffer): void {
    // criu reads this message only while its own output is read, and there is no destination to read it.
    this.#criu.unpipe();
    this.#criu.resume();
    this.#criu.write(message);
  }
}

/** Takes a descriptor over. */
function socketOf(fd: number): Socket {
  native().release(fd);
  return new Socket({ fd, readable: true, writable: true });
}
