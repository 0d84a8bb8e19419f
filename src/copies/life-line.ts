import { native } from '../native/index.ts';
import { SIGKILL } from '../process/terminate.ts';
import type { SocketPair } from './socket-pair.ts';

/**
 * Ends a copy with this process, also while it is stopped: the kernel kills its init when this end of a connection
 * that the init has is closed.
 */
export class LifeLine {
  readonly #pair: SocketPair;

  /** @param pid the init of a copy, which has the other end */
  constructor(pair: SocketPair, pid: number) {
    this.#pair = pair;
    native().signalAtEnd(pair.there, pid, SIGKILL);
  }

  /** Lets the copy live on. Idempotent. */
  cut(): void {
    if (this.#pair.there < 0) return;
    native().signalAtEnd(this.#pair.there, 0, 0);
    this.#pair[Symbol.dispose]();
  }
}
