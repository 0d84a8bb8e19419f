import type { ExitStatus } from '../errors.ts';
import { native, type Packet } from '../native/index.ts';
import { killTrees } from '../process/kill-tree.ts';
import { SIGKILL } from '../process/terminate.ts';
import { programOf } from '../procfs/program.ts';
import { CriuChild } from './child.ts';
import type { CriuConnection, Remains } from './connection.ts';
import type { Enclosure } from './enclosure.ts';
import { PacketSocket } from './packet-socket.ts';

/** How long criu may take to end after its socket is closed, in milliseconds. */
const LINGER_MS = 5000;
/** The descriptor number of the socket in criu. */
const SWRK_FD = 3;

export interface WorkerOptions {
  /** Absolute path of the binary. */
  readonly path: string;
  /** Descriptors that criu inherits: `[number in criu, number here]`. */
  readonly inherited?: readonly (readonly [number, number])[];
  /** Stay in the session and on the terminal of this process, as a restored shell job needs. */
  readonly inSession?: boolean;
  /** Namespaces and mounts of its own. */
  readonly enclosure?: Enclosure | undefined;
  /** See {@link CriuConnection.isHalfRestored}. */
  readonly isHalfRestored?: (() => boolean) | undefined;
}

/** A `criu swrk` process and the socket to it. */
export class Worker implements CriuConnection {
  readonly pid: number;
  isHalfRestored: (() => boolean) | undefined;
  readonly #child: CriuChild;
  readonly #socket: PacketSocket;
  #killed = false;
  #program: string | undefined;

  /** Starts criu; rejects with the error of the system call that failed. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const { path, inherited = [], inSession = false, enclosure, isHalfRestored } = options;
    const [socket, peer] = native().socketpair();
    try {
      const child = await CriuChild.start({
        path,
        args: ['swrk', String(SWRK_FD)],
        inherited: [[SWRK_FD, peer], ...inherited],
        inSession,
        enclosure,
      });
      return new Worker(child, new PacketSocket(socket), isHalfRestored);
    } catch (error) {
      native().close(socket);
      throw error;
    } finally {
      native().close(peer);
    }
  }

  private constructor(
    child: CriuChild,
    socket: PacketSocket,
    isHalfRestored: (() => boolean) | undefined,
  ) {
    this.pid = child.pid;
    this.isHalfRestored = isHalfRestored;
    this.#child = child;
    this.#socket = socket;
    child.exit.exited.then(() => socket.wake());
  }

  send(packet: Uint8Array): void {
    this.#socket.send(packet);
  }

  /** Children of criu, such as a page server, may keep its end of the socket open after criu ends. */
  async receive(): Promise<Packet | undefined> {
    const packet = await this.#socket.receive(() => this.#child.exit.status !== undefined);
    // Not earlier: the path may be that of a script that executes criu.
    if (packet) this.#program ??= programOf(this.pid);
    return packet;
  }

  get program(): string | undefined {
    return this.#program;
  }

  /** Kills criu and the processes that it has restored only partly. */
  kill(): void {
    if (this.#child.exit.status) return;
    this.#killed = true;
    if (this.isHalfRestored?.()) killTrees([this.pid]);
    else this.#killAlone();
  }

  get killed(): boolean {
    return this.#killed;
  }

  close(): void {
    this.#socket.close();
  }

  /** Closes the socket, waits for the end of criu, and kills criu after {@link LINGER_MS}. */
  async end(): Promise<Remains> {
    this.close();
    const timer = setTimeout(() => this.#killAlone(), LINGER_MS);
    this.#child.exit.ref();
    await this.#child.exit.exited;
    clearTimeout(timer);
    return this.remains;
  }

  get remains(): Remains {
    return this.#child.remains;
  }

  get exited(): Promise<ExitStatus> {
    return this.#child.exit.exited;
  }

  #killAlone(): void {
    this.#child.signal(SIGKILL);
  }
}
