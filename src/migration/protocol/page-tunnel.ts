import type { Socket } from 'node:net';
import { native } from '../../native/index.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { duplicateFd } from '../../process/duplicate-fd.ts';
import { LeasedFd } from './leased-fd.ts';
import type { CarrierOptions, PageCarrier } from './page-carrier.ts';
import { PagePump } from './page-pump.ts';
import { PageStreams } from './page-streams.ts';

const WATCH_INTERVAL_MS = 500;

/** Options of a {@link PageTunnel}. */
export interface TunnelOptions extends CarrierOptions {
  /** The tunnel fails when pending data has not moved for this many milliseconds. */
  readonly stallMs: number;
  /**
   * The outgoing bytes are requests, each of which the peer answers: the tunnel also fails when no
   * answer has come for `stallMs`.
   */
  readonly awaitsAnswers?: boolean;
}

/**
 * Carries memory pages between a criu on this host, over a descriptor, and a peer, over TLS. The tunnel
 * takes over the connection to the peer, which its caller must not use any more.
 */
export class PageTunnel implements Disposable {
  /** Resolves when the tunnel has closed, with the reason if it failed. */
  readonly closed: Promise<Error | undefined>;
  /** The end of the socket pair that criu talks to. */
  readonly criuFd: LeasedFd;
  /** The other end of the socket pair. */
  readonly #localFd: number;
  readonly #carrier: PageCarrier;
  readonly #watch: NodeJS.Timeout;
  #isClosed = false;

  constructor(peer: Socket, options: TunnelOptions) {
    const { stallMs, awaitsAnswers } = options;
    const [localFd, criuFd] = native().streamPair(MAX_BUFFERED_BYTES);
    this.#localFd = localFd;
    this.criuFd = new LeasedFd(criuFd, () => native().close(criuFd));
    this.#carrier = PagePump.canTake(peer)
      ? new PagePump(localFd, peer, options)
      : new PageStreams(localFd, peer, options);
    this.closed = this.#carrier.ended.then(() => {
      this[Symbol.dispose]();
      return this.#carrier.failure;
    });
    this.#watch = awaitsAnswers ? this.#watchAnswers(stallMs) : this.#watchProgress(stallMs);
  }

  /** Why the tunnel closed; undefined while it is open. */
  get failure(): Error | undefined {
    return this.#isClosed
      ? (this.#carrier.failure ?? new Error('the peer has hung up'))
      : undefined;
  }

  /** Bytes sent to the peer so far. */
  get sent(): number {
    return this.#carrier.transfer.sent;
  }

  /** Calls `onReceived` for all that has arrived, some of which may not be reported yet. */
  reportReceived(): void {
    this.#carrier.reportReceived();
  }

  /** Ends the limit of outgoing bytes. */
  liftRateLimit(): void {
    this.#carrier.liftRateLimit();
  }

  /**
   * Calls `user` with a duplicate of this process's end of the socket pair, and closes the duplicate
   * when `user` is done. It must be a duplicate: the end itself is closed as soon as the tunnel has closed,
   * even while criu uses its number.
   * @throws Error if the tunnel is closed already
   */
  async useLocalFd<T>(user: (fd: number) => Promise<T>): Promise<T> {
    if (this.#isClosed || !this.#carrier.isLocalOpen) throw this.#closeReason();
    const fd = duplicateFd(this.#localFd);
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
    this.#carrier.close();
    this.#carrier.reportReceived();
    this.criuFd.close(() => this.#closeReason());
  }

  #closeReason(): Error {
    return this.failure ?? this.#carrier.failure ?? new Error('the tunnel is closed');
  }

  #watchAnswers(stallMs: number): NodeJS.Timeout {
    let last = { received: -1, sent: 0, idleMs: 0 };
    const watch = setInterval(() => {
      const { received, sent, isHoldingBack } = this.#carrier.transfer;
      if (received !== last.received) last = { received, sent, idleMs: 0 };
      else if (sent === last.sent || isHoldingBack) last.idleMs = 0;
      else if (addTick(last) > stallMs) {
        this.#carrier.close(new Error(`no page has come for ${stallMs} ms`));
      }
      this.reportReceived();
    }, WATCH_INTERVAL_MS);
    return watch.unref();
  }

  #watchProgress(stallMs: number): NodeJS.Timeout {
    let last = { written: -1, idleMs: 0 };
    const watch = setInterval(() => {
      const { written, pending } = this.#carrier.transfer;
      if (pending === 0 || written !== last.written) last = { written, idleMs: 0 };
      else if (addTick(last) > stallMs) {
        this.#carrier.close(new Error(`no data has moved for ${stallMs} ms`));
      }
      this.reportReceived();
    }, WATCH_INTERVAL_MS);
    return watch.unref();
  }
}

/** Time passes by looks: a clock that is set, or a process that was stopped, is no stall of the other host. */
function addTick(last: { idleMs: number }): number {
  last.idleMs += WATCH_INTERVAL_MS;
  return last.idleMs;
}
