import { native, type Packet, type Watch } from '../native/index.ts';

/** This process's end of a SOCK_SEQPACKET connection. It keeps Node running only while it is read. */
export class PacketSocket {
  readonly #fd: number;
  #closed = false;
  /** Polls the socket; made for the first wait. */
  #watch: Watch | undefined;
  #paused = false;
  /** Ends the pending wait for the next packet; undefined if there is none. */
  #wake: (() => void) | undefined;

  /** Takes ownership of the descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Sends one packet. Throws the error of send(2), for example EPIPE or EMSGSIZE. */
  send(packet: Uint8Array): void {
    // The number of a closed descriptor may belong to another file by now.
    if (this.#closed) throw Object.assign(new Error('the socket is closed'), { code: 'EPIPE' });
    native().send(this.#fd, packet);
  }

  /**
   * Resolves with the next packet; with undefined at end of file and after {@link close}.
   * @param hasPeerEnded true once the peer is known to have ended. Other processes may hold its end
   * of the connection open for longer, which prevents an end of file.
   */
  async receive(hasPeerEnded: () => boolean = () => false): Promise<Packet | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      // Check before receiving: everything that the peer sent before it ended has then arrived.
      const hasEnded = hasPeerEnded();
      const packet = this.#receiveNow();
      if (packet !== null) return packet;
      if (hasEnded) return undefined;
      await this.#untilReadable();
    }
  }

  /** Makes {@link receive} check again. */
  wake(): void {
    this.#wake?.();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.close();
    this.wake();
    native().close(this.#fd);
  }

  #receiveNow(): Packet | null | undefined {
    try {
      return native().receive(this.#fd);
    } catch (error) {
      // The peer ended without reading our last packet. The next call returns what it sent before.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      return native().receive(this.#fd);
    }
  }

  #untilReadable(): Promise<void> {
    return new Promise((resolve) => {
      this.#watch ??= native().watch(this.#fd, () => this.#onReadable());
      this.#watch.ref();
      if (this.#paused) this.#watch.resume();
      this.#paused = false;
      this.#wake = () => {
        this.#wake = undefined;
        if (!this.#closed) this.#watch?.unref();
        resolve();
      };
    });
  }

  #onReadable(): void {
    if (this.#wake) {
      this.wake();
      return;
    }
    // What arrives while nobody waits stays in the socket, which would be reported again and again.
    this.#paused = true;
    this.#watch?.pause();
  }
}
