import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How long TLS and whatever else proves who the peer is may take together, in milliseconds. */
export const HANDSHAKE_MS = 10_000;
const MAX_PENDING = 64;
/** The descriptors that new connections leave to what runs, or a quarter of all if that is less. */
const RESERVED_DESCRIPTORS = 128;

/**
 * The connections of a port whose peers are not authenticated yet, limited in number and time. At the limit
 * the oldest makes room: a peer that has a certificate shows it at once.
 */
export class PendingConnections implements Disposable {
  /** By address and port of the peer, the oldest first. */
  readonly #pending = new Map<
    string,
    { readonly socket: Socket; readonly timer: NodeJS.Timeout }
  >();
  readonly #limitMs: number;

  constructor(limitMs = HANDSHAKE_MS) {
    this.#limitMs = limitMs;
  }

  /**
   * Adds a connection that was just accepted, before TLS.
   * @returns false if it was destroyed, since its descriptor is needed by what runs
   */
  add(socket: Socket): boolean {
    socket.on('error', () => {});
    if (!hasSpareDescriptors()) {
      socket.destroy();
      return false;
    }
    const peer = peerAddress(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limitMs).unref();
    this.#pending.set(peer, { socket, timer });
    socket.once('close', () => this.release(peer));
    const [oldest] = this.#pending.values();
    if (this.#pending.size > MAX_PENDING) oldest?.socket.destroy();
    return true;
  }

  /** Ends the limits of a connection, because its peer is authenticated or it has closed. */
  release(peer: string): void {
    clearTimeout(this.#pending.get(peer)?.timer);
    this.#pending.delete(peer);
  }

  /** Destroys all that are pending. */
  [Symbol.dispose](): void {
    for (const { socket } of this.#pending.values()) socket.destroy();
  }
}

/** The address and port of a peer, as gRPC writes it. */
export function peerAddress({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function hasSpareDescriptors(): boolean {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    if (limit === undefined) return true;
    const free = Number(limit) - readdirSync('/proc/self/fd').length;
    return free >= Math.min(RESERVED_DESCRIPTORS, Number(limit) / 4);
  } catch {
    // Not even these two files can be opened.
    return false;
  }
}
