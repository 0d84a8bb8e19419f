import type { ExitStatus } from '../errors.ts';
import { native, type Packet } from '../native/index.ts';
import { openPidfd, watchExit } from '../process/exit.ts';
import { killTrees, signal } from '../process/kill-tree.ts';
import { SIGKILL } from '../process/terminate.ts';
import { programOf } from '../procfs/program.ts';
import { readSessionSync } from '../procfs/session.ts';
import { childrenOf } from '../procfs/tree.ts';
import type { CriuChild } from './child.ts';
import type { CriuConnection, Remains } from './connection.ts';
import type { PacketSocket } from './packet-socket.ts';

/** How long a worker may take to end after its connection is closed, in milliseconds. */
const LINGER_MS = 5000;
const SIGCONT = 18;
const SIGSTOP = 19;

/** Lines that a service logs, and that an ordinary criu does not write to its standard error. */
const INFORMATION = /^\([\d.]+\) (?!Error \(|Warn {2}\().*\n?/gm;
const TIMESTAMP = /^\([\d.]+\) /gm;

/** The worker that a service of this process forks for a connection. */
export class ZygoteWorker implements CriuConnection {
  /** The pid of the service, which leads the session of the worker. */
  readonly pid: number;
  /** The file that the service and its workers execute. */
  readonly program: string | undefined;
  isHalfRestored: (() => boolean) | undefined;
  /** How the worker ended; both values are null if that is unknown because the service ended first. */
  readonly exited: Promise<ExitStatus>;
  readonly #service: CriuChild;
  readonly #socket: PacketSocket;
  /** Identifies the worker if the service ends first. */
  #orphan: number | undefined;
  #end: Remains | undefined;
  #killed = false;

  /** @param exited resolves when the worker has ended; never rejects */
  constructor(
    service: CriuChild,
    program: string | undefined,
    socket: PacketSocket,
    exited: Promise<ExitStatus>,
  ) {
    this.pid = service.pid;
    this.program = program;
    this.#service = service;
    this.#socket = socket;
    this.exited = exited;
    exited.then((exit) => {
      this.#end = { exit, stderr: this.#stderr };
      socket.wake();
    });
  }

  send(packet: Uint8Array): void {
    this.#socket.send(packet);
  }

  async receive(): Promise<Packet | undefined> {
    return await this.#socket.receive(() => this.#end !== undefined);
  }

  /** Kills the worker and the processes that it has restored only partly. */
  kill(): void {
    if (this.#end) return;
    this.#killed = true;
    this.#kill(this.isHalfRestored?.() ?? false);
  }

  get killed(): boolean {
    return this.#killed;
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * Closes the socket, and waits for the end of the worker, which is killed after {@link LINGER_MS}. If it has
   * not succeeded, its service ends as well: what the worker has left is in the session of the service.
   */
  async end(): Promise<Remains> {
    this.close();
    const timer = setTimeout(() => this.#kill(false), LINGER_MS);
    const { code } = await this.exited;
    clearTimeout(timer);
    if (code !== 0) await this.#service.kill();
    return this.remains;
  }

  get remains(): Remains {
    return this.#end ?? { exit: undefined, stderr: this.#stderr };
  }

  get #stderr(): string {
    const text = this.#service.remains.stderr ?? '';
    return text.replace(INFORMATION, '').replace(TIMESTAMP, '').trimEnd();
  }

  /** Kills the worker, alone or with its descendants. */
  #kill(withTree: boolean): void {
    const service = this.#service;
    if (this.#orphan !== undefined) {
      native().pidfdSendSignal(this.#orphan, SIGKILL);
      return;
    }
    // A stopped service does not reap, so that no other process gets the pid of the worker.
    service.signal(SIGSTOP);
    const [worker] = childrenOf(service.pid);
    if (worker === undefined) service.signal(SIGKILL);
    else if (withTree) killTrees([worker]);
    else signal(worker, 'SIGKILL');
    service.signal(SIGCONT);
  }

  /**
   * Waits for the end of the worker after that of its service, whose session the worker is in. Call it before
   * the service is reaped.
   */
  async outliveService(): Promise<ExitStatus> {
    const [worker] = readSessionSync(this.pid).filter(
      ({ pid }) => pid !== this.pid && programOf(pid) === this.program,
    );
    this.#orphan = worker && openPidfd(worker.pid);
    if (this.#orphan !== undefined) await watchExit(this.#orphan).exited;
    this.#orphan = undefined;
    return { code: null, signal: this.#killed ? 'SIGKILL' : null };
  }
}
