import { Socket } from 'node:net';
import { native } from '../../native/index.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { RateLimiter } from '../../postcopy/rate-limiter.ts';
import type { CarrierOptions, PageCarrier, Transfer } from './page-carrier.ts';

/** How long criu may take to read buffered data after the end, in milliseconds. */
const DRAIN_MS = 1000;

/** Moves bytes with streams of Node, where no {@link PagePump} can. */
export class PageStreams implements PageCarrier {
  readonly ended: Promise<void>;
  readonly #local: Socket;
  readonly #peer: Socket;
  readonly #limiter: RateLimiter | undefined;
  readonly #receiveLimiter: RateLimiter | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(localFd: number, peer: Socket, options: CarrierOptions) {
    const { rateLimit, receiveLimit, onReceived } = options;
    // The socket owns this descriptor and closes it.
    native().release(localFd);
    const end = { fd: localFd, readable: true, writable: true, highWaterMark: MAX_BUFFERED_BYTES };
    this.#local = new Socket(end);
    this.#peer = peer;
    for (const socket of [this.#local, peer]) {
      socket.on('error', (error) => {
        this.#failure ??= error;
      });
    }
    this.ended = Promise.race(
      [this.#local, peer].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      ),
    );
    this.#limiter = rateLimit && new RateLimiter(rateLimit);
    (this.#limiter ? this.#local.pipe(this.#limiter) : this.#local).pipe(peer);
    peer.on('data', ({ length }: Buffer) => {
      this.#coalesceWrites();
      onReceived?.(length);
    });
    this.#receiveLimiter = receiveLimit && new RateLimiter(receiveLimit);
    (this.#receiveLimiter ? peer.pipe(this.#receiveLimiter) : peer).pipe(this.#local);
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get isLocalOpen(): boolean {
    return !this.#local.destroyed;
  }

  get transfer(): Transfer {
    const { bytesWritten: sent, writableLength: pending, bytesRead: received } = this.#peer;
    const isHoldingBack =
      this.#receiveLimiter !== undefined && this.#receiveLimiter.writableLength > 0;
    return { sent, pending, written: sent - pending, received, isHoldingBack };
  }

  reportReceived(): void {}

  liftRateLimit(): void {
    this.#limiter?.lift();
  }

  close(reason?: Error): void {
    this.#failure ??= reason;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#peer.destroy();
    this.#receiveLimiter?.unpipe().lift();
    // Shuts the socket down before it closes: criu may hold a duplicate of this end, so that closing
    // alone would not end the connection for it.
    this.#local.destroySoon();
    // A criu that no longer reads keeps the shutdown waiting.
    setTimeout(() => this.#local.destroy(), DRAIN_MS).unref();
  }

  /** Passes the 16 KiB records of TLS that arrive together to criu in one system call. */
  #coalesceWrites(): void {
    if (this.#local.writableCorked > 0) return;
    this.#local.cork();
    setImmediate(() => this.#local.uncork());
  }
}
