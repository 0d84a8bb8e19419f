import type { ExitStatus } from '../errors.ts';
import { native, type Packet } from '../native/index.ts';
import { killTrees } from '../process/kill-tree.ts';
import type { Channel } from '../protocol/channel.ts';
import { CriuChild, type Remains } from './child.ts';

/** How long criu may take to end once its socket is closed, in milliseconds. */
const LINGER_MS = 5000;
/** The number of the socket in criu. */
const SWRK_FD = 3;
const SIGKILL = 9;

export interface WorkerOptions {
  /** Absolute path of the binary. */
  readonly path: string;
  /** Descriptors for criu: `[number there, number here]`. */
  readonly inherited?: readonly (readonly [number, number])[];
  /** Stay in the session and on the terminal of this process: what shell jobs are restored into. */
  readonly inSession?: boolean;
  /** Whether what it has started is of no use without it: half-made processes, which would wait for it forever. */
  readonly unfinished?: (() => boolean) | undefined;
}

/** A `criu swrk` process and the socket to it. */
export class Worker implements Channel {
  readonly pid: number;
  readonly #child: CriuChild;
  /** See {@link WorkerOptions}; of one that was started before it was needed, set once it is. */
  unfinished: WorkerOptions['unfinished'];
  readonly #socket: number;
  #closed = false;
  #killed = false;
  /** Ends the wait for a packet, if one is waited for. */
  #wake: (() => void) | undefined;

  /** Starts criu; throws what the system call threw. */
  static start({ path, inherited = [], inSession = false, unfinished }: WorkerOptions): Worker {
    const [socket, peer] = native().socketpair();
    try {
      const child = CriuChild.start({
        path,
        args: ['swrk', String(SWRK_FD)],
        inherited: [[SWRK_FD, peer], ...inherited],
        inSession,
      });
      return new Worker(child, socket, unfinished);
    } catch (error) {
      native().close(socket);
      throw error;
    } finally {
      native().close(peer);
    }
  }

  private constructor(child: CriuChild, socket: number, unfinished: WorkerOptions['unfinished']) {
    this.#child = child;
    this.unfinished = unfinished;
    this.pid = child.pid;
    this.#socket = socket;
    // It does not keep Node alive when idle: criu ends when its socket does.
    child.exit.exited.then(() => this.#wake?.());
  }

  send(packet: Uint8Array): void {
    // By now its number may be another descriptor's.
    if (this.#closed) throw Object.assign(new Error('the socket is closed'), { code: 'EPIPE' });
    native().send(this.#socket, packet);
  }

  async receive(): Promise<Packet | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      // Asked first: what criu has sent before its end is there by then.
      const { status } = this.#child.exit;
      const packet = this.#receiveNow();
      if (packet !== null) return packet;
      // Children of criu, a page server say, may hold the other end for longer than it lives.
      if (status) return undefined;
      await this.#untilReadable();
    }
  }

  #receiveNow(): Packet | null | undefined {
    try {
      return native().receive(this.#socket);
    } catch (error) {
      // criu died with something of ours unread. Its last words may still be there, as the next.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      return native().receive(this.#socket);
    }
  }

  /** Ends criu by force, and what it leaves unfinished. */
  kill(): void {
    if (this.#child.exit.status) return;
    this.#killed = true;
    if (this.unfinished?.()) killTrees([this.pid]);
    else this.#killAlone();
  }

  /** Whether it took force, before there was a reply. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Closes the socket, at which criu ends by itself. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    native().close(this.#socket);
  }

  /** Closes the socket and waits for the end of criu, which is killed if it lingers. */
  async end(): Promise<Remains> {
    this.close();
    const timer = setTimeout(() => this.#killAlone(), LINGER_MS);
    this.#child.exit.ref();
    await this.#child.exit.exited;
    clearTimeout(timer);
    return this.remains;
  }

  /** What criu has left so far. */
  get remains(): Remains {
    return this.#child.remains;
  }

  /** How criu ends. Never rejects; waiting for it does not keep Node running. */
  get exited(): Promise<ExitStatus> {
    return this.#child.exit.exited;
  }

  #killAlone(): void {
    this.#child.signal(SIGKILL);
  }

  #untilReadable(): Promise<void> {
    return new Promise((resolve) => {
      const watch = native().watch(this.#socket, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        watch.close();
        resolve();
      };
    });
  }
}
