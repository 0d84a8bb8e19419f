import { onTestFinished } from 'vitest';
import { native, type Packet } from '../../src/native/index.ts';
import type { Channel } from '../../src/protocol/channel.ts';
import type { CriuRequest, CriuResponse } from '../../src/protocol/messages.ts';
import { decodeRequest, encodeResponse } from './wire.ts';

/** The other side of a session, driven by the test; it can do what no criu does. */
export interface Peer {
  readonly channel: Channel;
  /** How often the channel was asked to kill it. */
  kills(): number;
  /** The next request; undefined once the session's side has hung up. */
  request(): Promise<CriuRequest | undefined>;
  /** Sends a message, or bytes that need not be one, with descriptors that are then the receiver's. */
  send(message: CriuResponse | Uint8Array, fds?: readonly number[]): void;
  /** Hangs up. */
  close(): void;
}

const bytesOf = (message: CriuResponse | Uint8Array) =>
  message instanceof Uint8Array ? message : encodeResponse(message);

/** A peer in memory: the test alone decides the order of events, and packets can carry descriptors. */
export function memoryPeer(): Peer {
  const requests = new Queue<Uint8Array>();
  const responses = new Queue<Packet>();
  let kills = 0;
  const hangUp = () => {
    requests.end();
    responses.end();
  };
  return {
    channel: {
      send: (packet) => requests.add(packet),
      receive: () => responses.take(),
      kill() {
        kills++;
        hangUp();
      },
    },
    kills: () => kills,
    async request() {
      const bytes = await requests.take();
      return bytes && decodeRequest(bytes);
    },
    send: (message, fds = []) => responses.add({ data: bytesOf(message), fds }),
    close: hangUp,
  };
}

/** A peer on a real socket, with the limits and errors of the kernel. It sends no descriptors. */
export function socketPeer(): Peer {
  const [own, other] = native().socketpair();
  const open = new Set([own, other]);
  /** Cancels the wait for a packet on a descriptor before the descriptor is closed. */
  const waiting = new Map<number, () => void>();
  const close = (fd: number) => {
    if (!open.delete(fd)) return;
    waiting.get(fd)?.();
    native().close(fd);
  };
  /** Receives as the worker does: from the event loop, when data is available. */
  const receive = async (fd: number): Promise<Packet | undefined> => {
    while (open.has(fd)) {
      const packet = native().receive(fd);
      if (packet !== null) return packet;
      await new Promise<void>((resolve) => {
        const watch = native().watch(fd, () => waiting.get(fd)?.());
        waiting.set(fd, () => {
          waiting.delete(fd);
          watch.close();
          resolve();
        });
      });
    }
    return undefined;
  };
  onTestFinished(() => [...open].forEach(close));
  let kills = 0;
  return {
    channel: {
      send: (packet) => native().send(own, packet),
      receive: () => receive(own),
      kill() {
        kills++;
        close(other);
      },
    },
    kills: () => kills,
    async request() {
      const packet = await receive(other);
      return packet && decodeRequest(packet.data);
    },
    send: (message) => native().send(other, bytesOf(message)),
    close: () => close(other),
  };
}

/** A queue of items in order; undefined after its end. */
class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T | undefined) => void)[] = [];
  #ended = false;

  add(item: T): void {
    if (this.#ended) throw Object.assign(new Error('nobody reads'), { code: 'EPIPE' });
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  take(): Promise<T | undefined> {
    const item = this.#items.shift();
    if (item !== undefined || this.#ended) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }
}
