import { Socket } from 'node:net';
import { native } from '../../native/index.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { RateLimit, RateLimiter } from '../../postcopy/rate-limit.ts';
import { LeasedFd } from './leased-fd.ts';

const WATCH_INTERVAL_MS = 500;
/** How long criu may take to read buffered data after the tunnel closes, in milliseconds. */
const DRAIN_MS = 1000;

/** Options of a {@link PageTunnel}. */
export interface TunnelOptions {
  /** Limit of outgoing bytes per second. Default: no limit. */
  readonly rateLimit?: number | undefined;
  /** Limits the incoming bytes, together with those of other tunnels. Default: no limit. */
  readonly receiveLimit?: RateLimit | undefined;
  /** Called with the number of bytes that have arrived. */
  readonly onReceived?: (bytes: number) => void;
  /** The tunnel fails when pending data has not moved for this many milliseconds. */
  readonly stallMs: number;
  /**
   * The outgoing bytes are requests, each of which the peer answers: the tunnel also fails when no
   * answer has come for `stallMs`.
   */
  readonly awaitsAnswers?: boolean;
}

/** Carries memory pages between a criu on this host, over a descriptor, and a peer, over TLS. */
export class PageTunnel implements Disposable {
  /** Resolves when the tunnel has closed, with the reason if it failed. */
  readonly closed: Promise<Error | undefined>;
  /** The end of the socket pair that criu talks to. */
  readonly criuFd: LeasedFd;
  /** The other end of the socket pair. */
  readonly #local: Socket;
  readonly #localFd: number;
  readonly #peer: Socket;
  readonly #watch: NodeJS.Timeout;
  readonly #limiter: RateLimiter | undefined;
  readonly #receiveLimiter: RateLimiter | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(peer: Socket, options: TunnelOptions) {
    const { rateLimit, receiveLimit, stallMs, awaitsAnswers, onReceived } = options;
    const [localFd, criuFd] = native().streamPair(MAX_BUFFERED_BYTES);
    // The socket owns this descriptor and closes it.
    native().release(localFd);
    this.#localFd = localFd;
    this.criuFd = new LeasedFd(criuFd, () => native().close(criuFd));
    const end = { fd: localFd, readable: true, writable: true, highWaterMark: MAX_BUFFERED_BYTES };
    this.#local = new Socket(end);
    this.#peer = peer;
    for (const socket of [this.#local, peer]) {
      socket.on('error', (error) => {
        this.#failure ??= error;
      });
    }
    this.closed = Promise.race(
      [this.#local, peer].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    ).then(() => {
      this[Symbol.dispose]();
      return this.#failure;
    });
    this.#limiter = rateLimit === undefined ? undefined : new RateLimiter(new RateLimit(rateLimit));
    (this.#limiter ? this.#local.pipe(this.#limiter) : this.#local).pipe(peer);
    peer.on('data', ({ length }: Buffer) => {
      this.#coalesceWrites();
      onReceived?.(length);
    });
    this.#receiveLimiter = receiveLimit && new RateLimiter(receiveLimit);
    (this.#receiveLimiter ? peer.pipe(this.#receiveLimiter) : peer).pipe(this.#local);
    this.#watch = awaitsAnswers ? this.#watchAnswers(stallMs) : this.#watchProgress(stallMs);
  }

  /** Why the tunnel closed; undefined while it is open. */
  get failure(): Error | undefined {
    return this.#isClosed ? (this.#failure ?? new Error('the peer has hung up')) : undefined;
  }

  /** Bytes sent to the peer so far. */
  get sent(): number {
    return this.#peer.bytesWritten;
  }

  /** Ends the limit of outgoing bytes. */
  liftRateLimit(): void {
    this.#limiter?.lift();
  }

  /**
   * Calls `user` with a duplicate of this process's end of the socket pair, and closes the duplicate
   * when `user` is done. It must be a duplicate: Node closes the socket's own descriptor as soon as
   * both directions have ended, even while criu uses its number.
   * @throws Error if the tunnel is closed already
   */
  async useLocalFd<T>(user: (fd: number) => Promise<T>): Promise<T> {
    if (this.#isClosed || this.#local.destroyed) throw this.#closeReason();
    const fd = duplicate(this.#localFd);
    try {
      return await user(fd);
    } finally {
      native().close(fd);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#peer.destroy();
    this.#receiveLimiter?.unpipe().lift();
    // Shuts the socket down before it closes: criu may hold a duplicate of this end, so that closing
    // alone would not end the connection for it.
    this.#local.destroySoon();
    // A criu that no longer reads keeps the shutdown waiting.
    setTimeout(() => this.#local.destroy(), DRAIN_MS).unref();
    this.criuFd.close(() => this.#closeReason());
  }

  #closeReason(): Error {
    return this.failure ?? this.#failure ?? new Error('the tunnel is closed');
  }

  /** Passes the 16 KiB records of TLS that arrive together to criu in one system call. */
  #coalesceWrites(): void {
    if (this.#local.writableCorked > 0) return;
    this.#local.cork();
    setImmediate(() => this.#local.uncork());
  }

  #watchAnswers(stallMs: number): NodeJS.Timeout {
    let last = { received: -1, sent: 0, at: 0 };
    const watch = setInterval(() => {
      const { bytesRead: received, bytesWritten: sent } = this.#peer;
      if (received !== last.received) last = { received, sent, at: Date.now() };
      else if (sent === last.sent || this.#isHoldingBack) last.at = Date.now();
      else if (Date.now() - last.at > stallMs) {
        this.#peer.destroy(new Error(`no answer has come for ${stallMs} ms`));
      }
    }, WATCH_INTERVAL_MS);
    return watch.unref();
  }

  /** True while answers that have arrived wait for the limit. */
  get #isHoldingBack(): boolean {
    return this.#receiveLimiter !== undefined && this.#receiveLimiter.writableLength > 0;
  }

  #watchProgress(stallMs: number): NodeJS.Timeout {
    let last = { bytes: -1, at: Date.now() };
    const watch = setInterval(() => {
      const peer = this.#peer;
      const bytes = peer.bytesWritten - peer.writableLength;
      if (peer.writableLength === 0 || bytes !== last.bytes) last = { bytes, at: Date.now() };
      else if (Date.now() - last.at > stallMs) {
        peer.destroy(new Error(`no data has moved for ${stallMs} ms`));
      }
    }, WATCH_INTERVAL_MS);
    return watch.unref();
  }
}

/** dup(2), which Node lacks. */
function duplicate(fd: number): number {
  const self = native().pidfdOpen(process.pid);
  try {
    return native().pidfdGetfd(self, fd);
  } finally {
    native().close(self);
  }
}
