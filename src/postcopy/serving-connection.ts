import { CriuError } from '../errors.ts';
import { native } from '../native/index.ts';
import { MAX_BUFFERED_BYTES } from './page-protocol.ts';

/** The number in criu of the descriptor on which criu serves pages. */
export const SERVING_FD = 32;
/** The number in criu of the copy of the local end. */
const KEEP_ALIVE_FD = 33;

/** The connection between this process and the criu that serves the pages of a lazy dump. */
export class ServingConnection {
  /**
   * Descriptors for criu to inherit: `[number in criu, number here]`. criu gets the local end as
   * well: it finishes and ends the original when the connection ends, which its own copy of the local
   * end prevents if this process dies.
   */
  readonly inherited: readonly (readonly [number, number])[];
  #localFd: number | undefined;
  #criuFd: number | undefined;

  constructor() {
    const [localFd, criuFd] = native().streamPair(MAX_BUFFERED_BYTES);
    this.#localFd = localFd;
    this.#criuFd = criuFd;
    this.inherited = [
      [SERVING_FD, criuFd],
      [KEEP_ALIVE_FD, localFd],
    ];
  }

  /** True until the local end is taken or closed. */
  get isOpen(): boolean {
    return this.#localFd !== undefined;
  }

  /**
   * Passes the local end to the caller, who closes it.
   * @throws CriuError ERR_CRIU_EOF if the local end is closed, as it is once criu has ended
   */
  takeLocalFd(operation: string): number {
    const fd = this.#localFd;
    this.#localFd = undefined;
    if (fd !== undefined) return fd;
    const message = `${operation}: the criu that was to serve the pages has ended`;
    throw new CriuError('ERR_CRIU_EOF', message, { operation });
  }

  /** Closes criu's end in this process: call it once criu has inherited the end. Idempotent. */
  closeCriuFd(): void {
    if (this.#criuFd !== undefined) native().close(this.#criuFd);
    this.#criuFd = undefined;
  }

  /** Closes the ends that this process still has. Idempotent. */
  close(): void {
    this.closeCriuFd();
    if (this.#localFd !== undefined) native().close(this.#localFd);
    this.#localFd = undefined;
  }
}
