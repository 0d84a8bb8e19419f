import { native } from '../native/index.ts';
import type { SocketPair } from './socket-pair.ts';

const SIGCONT = 18;

/**
 * Ends a copy with this process, also while it is stopped: the kernel wakes its init when this end of a connection
 * that the init has is closed, and the init ends. See follow() in src/native/launcher/init.c.
 */
export class LifeLine {
  readonly #pair: SocketPair;
  #isCut = false;

  /** @param pid the init of a copy, which has the other end */
  constructor(pair: SocketPair, pid: number) {
    this.#pair = pair;
    native().send(pair.here, Buffer.from('A'));
    // Not earlier: data would wake the init as well.
    native().signalAtEnd(pair.there, pid, SIGCONT);
  }

  /** Lets the copy live on. Idempotent. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    native().send(this.#pair.here, Buffer.from('R'));
    native().signalAtEnd(this.#pair.there, 0, 0);
    this.#pair.closeThere();
  }

  /** Closes the connection. CRIU cannot restore a connection without another end, so only once the copy has ended. */
  [Symbol.dispose](): void {
    this.#pair[Symbol.dispose]();
  }
}
