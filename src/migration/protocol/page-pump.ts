import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { native, type Pump, type PumpRequest, type PumpState } from '../../native/index.ts';
import { descriptorOf } from '../../options/kinds.ts';
import { duplicateFd } from '../../process/duplicate-fd.ts';
import type { CarrierOptions, PageCarrier, Transfer } from './page-carrier.ts';
import { type DirectionState, drain, RecordTransport } from './record-transport.ts';
import { Throttle } from './throttle.ts';

/** How much may arrive before JavaScript has counted it, in bytes. It counts four times as often. */
const UNCOUNTED_BYTES = 32 << 20;
const NO_BYTES = Buffer.alloc(0);
const NO_LIMIT = Number.POSITIVE_INFINITY;
const NOTHING: PumpState = {
  ...{ sent: 0, received: 0, written: 0, pending: 0 },
  ...{ hasEnded: false, isDone: false },
};

/**
 * Moves bytes on a thread of the addon, which takes the connection over from Node: pages never pass through
 * JavaScript. Node has done the handshake of TLS with all checks of certificates, and the exchange of the token.
 */
export class PagePump implements PageCarrier {
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  readonly #localFd: number;
  readonly #peer: Socket;
  readonly #onReceived: CarrierOptions['onReceived'];
  readonly #sending: Throttle | undefined;
  readonly #receiving: Throttle | undefined;
  /** Undefined until the connection is taken over. */
  #pump: Pump | undefined;
  #reported = 0;
  #failure: Error | undefined;
  #isClosed = false;
  #isLocalOpen = true;

  /** True if a pump can take this connection over. */
  static canTake(peer: Socket): boolean {
    const transport = RecordTransport.of(peer);
    if (transport) return native().hasOpenSsl && transport.canRelease(peer as TLSSocket);
    return !('encrypted' in peer) && descriptorOf(peer) !== undefined;
  }

  /** @param localFd the pump owns it from now on */
  constructor(localFd: number, peer: Socket, options: CarrierOptions) {
    const { rateLimit, receiveLimit, onReceived } = options;
    this.#localFd = localFd;
    this.#peer = peer;
    this.#onReceived = onReceived;
    if (rateLimit) this.#sending = new Throttle(rateLimit, () => this.#allowSending());
    if (receiveLimit) this.#receiving = new Throttle(receiveLimit, () => this.#allowReceiving());
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    peer.on('error', (error) => {
      if (!this.#pump) this.#failure ??= error;
    });
    void this.#start().catch((error: Error) => this.close(error));
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  get isLocalOpen(): boolean {
    return this.#isLocalOpen;
  }

  get transfer(): Transfer {
    return { ...this.#state, isHoldingBack: this.#receiving?.isWaiting === true };
  }

  reportReceived(): void {
    this.#count(this.#state.received);
  }

  /**
   * Charges what it counts, too: otherwise the limit would hold back the next byte, and no notification is due before
   * that one.
   */
  #count(received: number): void {
    const bytes = received - this.#reported;
    this.#reported = received;
    if (bytes > 0) this.#onReceived?.(bytes);
    this.#receiving?.onMoved(received);
  }

  liftRateLimit(): void {
    this.#sending?.lift();
  }

  close(reason?: Error): void {
    this.#failure ??= reason;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sending?.end();
    this.#receiving?.end();
    if (this.#pump) {
      this.#pump.stop();
      return;
    }
    this.#peer.destroy();
    this.#isLocalOpen = false;
    native().close(this.#localFd);
    this.#resolveEnded();
  }

  get #state(): PumpState {
    return this.#pump?.state() ?? { ...NOTHING, pending: this.#peer.writableLength };
  }

  async #start(): Promise<void> {
    const peer = this.#peer;
    await untilWritten(peer);
    if (this.#isClosed) return;
    if (peer.destroyed) throw this.#failure ?? new Error('the peer has hung up');
    this.#pump = this.#takeOver(takeConnection(peer));
    this.#sending?.begin();
    this.#receiving?.begin();
    this.#allowSending();
    this.#onNotified();
  }

  #takeOver(connection: Omit<PumpRequest, 'local'>): Pump {
    try {
      return native().pump({ local: this.#localFd, ...connection }, () => this.#onNotified());
    } catch (error) {
      native().close(connection.peer);
      throw error;
    } finally {
      connection.sendKeys?.fill(0);
      connection.receiveKeys?.fill(0);
    }
  }

  /** Called when a limit is reached, and at the end. */
  #onNotified(): void {
    const { sent, received, hasEnded, isDone, failure, errno } = this.#state;
    this.#isLocalOpen = !isDone;
    if (failure !== undefined && !this.#isClosed) this.#failure ??= failureOf(failure, errno);
    this.#count(received);
    if (hasEnded) {
      this.#resolveEnded();
      return;
    }
    this.#sending?.onMoved(sent);
    this.#allowReceiving();
  }

  #allowSending(): void {
    const allowed = this.#sending?.allowed ?? NO_LIMIT;
    this.#pump?.limitSending(allowed, allowed);
  }

  /** Where the rate is limited, each arrival is counted at once. */
  #allowReceiving(): void {
    const counted = this.#reported;
    if (this.#receiving) this.#pump?.limitReceiving(this.#receiving.allowed, counted + 1);
    else if (this.#onReceived) {
      const notifyAt = counted + UNCOUNTED_BYTES / 4;
      this.#pump?.limitReceiving(counted + UNCOUNTED_BYTES, notifyAt);
    } else this.#pump?.limitReceiving(NO_LIMIT, NO_LIMIT);
  }
}

/** Waits until all that JavaScript has written to a connection, this turn included, is on its way. */
async function untilWritten(peer: Socket): Promise<void> {
  const transport = RecordTransport.of(peer);
  const streams: Writable[] = transport ? [peer, transport, transport.socket] : [peer];
  await nextTurn();
  while (!peer.destroyed && streams.some(({ writableLength }) => writableLength > 0)) {
    await sleep(1);
  }
}

/** Takes a connection from Node, with what Node has read of it. */
function takeConnection(peer: Socket): Omit<PumpRequest, 'local'> {
  const early = Buffer.concat(drain(peer));
  const transport = RecordTransport.of(peer);
  if (transport) {
    const { fd, unread, send, receive } = transport.release(peer as TLSSocket);
    const keys = { cipher: send.cipher, sendKeys: packed(send), receiveKeys: packed(receive) };
    return { peer: fd, early, unread, ...keys };
  }
  const fd = descriptorOf(peer);
  if (fd === undefined) throw new Error('the peer has hung up');
  const duplicate = duplicateFd(fd);
  peer.destroy();
  return { peer: duplicate, early, unread: NO_BYTES };
}

function packed({ key, iv, sequence }: DirectionState): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(sequence));
  const keys = Buffer.concat([key, iv, number]);
  key.fill(0);
  iv.fill(0);
  return keys;
}

/** An error like those of Node's sockets. */
function failureOf(failure: string, errno = 0): Error {
  if (errno === 0) return new Error(failure);
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${failure} ${code}`), { code, errno: -errno, syscall: failure });
}
