import { native, type Packet } from '../native/index.ts';

/** This process's end of a SOCK_SEQPACKET connection. It keeps Node running only while it is read. */
export class PacketSocket {
  readonly #fd: number;
  #closed = false;
  /** Ends the wait for the next packet, if there is one. */
  #wake: (() => void) | undefined;

  /** Takes ownership of the descriptor. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Sends one packet. Throws EPIPE, EMSGSIZE, … */
  send(packet: Uint8Array): void {
    // The number of a closed descriptor may belong to another file by now.
    if (this.#closed) throw Object.assign(new Error('the socket is closed'), { code: 'EPIPE' });
    native().send(this.#fd, packet);
  }

  /**
   * The next packet; undefined at end of file and after {@link close}.
   * @param hasPeerEnded true once the peer is known to have ended. Other processes may hold its end
   * of the connection for longer, so that there is no end of file.
   */
  async receive(hasPeerEnded: () => boolean = () => false): Promise<Packet | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      // Ask first: whatever the peer sent before its end has arrived by then.
      const hasEnded = hasPeerEnded();
      const packet = this.#receiveNow();
      if (packet !== null) return packet;
      if (hasEnded) return undefined;
      await this.#untilReadable();
    }
  }

  /** Makes {@link receive} look again. */
  wake(): void {
    this.#wake?.();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.wake();
    native().close(this.#fd);
  }

  #receiveNow(): Packet | null | undefined {
    try {
      return native().receive(this.#fd);
    } catch (error) {
      // The peer ended without reading our last packet. What it sent before comes with the next call.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      return native().receive(this.#fd);
    }
  }

  #untilReadable(): Promise<void> {
    return new Promise((resolve) => {
      const watch = native().watch(this.#fd, () => this.wake());
      this.#wake = () => {
        this.#wake = undefined;
        watch.close();
        resolve();
      };
    });
  }
}
