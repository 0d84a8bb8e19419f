import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from '../concurrency/deadline.ts';
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import type { ExitStatus } from '../errors.ts';
import { native } from '../native/index.ts';
import { signalName } from '../process/exit.ts';
import { killTrees } from '../process/kill-tree.ts';
import { SIGKILL } from '../process/terminate.ts';
import { programOf } from '../procfs/program.ts';
import { CriuChild } from './child.ts';
import { PacketSocket } from './packet-socket.ts';
import { ZygoteWorker } from './zygote-worker.ts';

/** The number of the pipe in criu through which it tells that its socket is there. */
const STATUS_FD = 3;
/** The number of a pipe in criu whose other end closes with this process. */
const LIFE_FD = 4;
/** Node has no constant for it: a descriptor that only names a file. */
const O_PATH = 0o10000000;
/** How long an idle worker may take to end after its connection is closed, in milliseconds. */
const LINGER_MS = 1000;

/** What a service logs when it has reaped a worker. Source: CRIU's criu/cr-service.c, reap_worker. */
const WORKER_END = /^\([\d.]+\) Worker\(pid \d+\) (?:exited with (\d+)|was killed by (\d+):)/m;
/** What a service is started with. */
interface Means {
  /** Has only its socket, while it starts. */
  readonly directory: string;
  readonly address: string;
  /** The ends here of its pipes, and its own end of the one that tells that it lives. */
  readonly status: number;
  readonly criuLife: number;
  readonly life: number;
}

/**
 * A `criu service` of this process alone, which is linked and initialised, and forks a worker for each
 * connection. It has one worker at a time, so that its standard error and the exit status that it logs are
 * that worker's. Its socket has no name once the service listens: nobody else can connect to it, and it
 * leaves nothing behind. It ends with this process, however that ends.
 */
export class Zygote {
  readonly child: CriuChild;
  /** The file that it executes, as programOf() names it. */
  #program: string | undefined;
  /** Resolves once the service accepts connections; rejects if it has ended before. */
  readonly ready: Promise<void>;
  /** Names the socket, which is removed from its directory. */
  #socket = -1;
  /** The worker that has not ended yet, and its exit. */
  #last: { readonly worker: ZygoteWorker; readonly exit: Deferred<ExitStatus> } | undefined;

  /** Starts a service; rejects with the error of the system call that failed. */
  static async start(path: string): Promise<Zygote> {
    // Only this user can enter the directory.
    const directory = mkdtempSync(join(tmpdir(), 'node-criu-'));
    const address = join(directory, 's');
    const [status, criuStatus] = native().pipe();
    const [criuLife, life] = native().pipe();
    let zygote: Zygote | undefined;
    try {
      const child = await CriuChild.start({
        path,
        // At this level a service logs the end of each worker.
        args: ['service', '--address', address, '--status-fd', String(STATUS_FD), '-v3'],
        inherited: [
          [STATUS_FD, criuStatus],
          [LIFE_FD, criuLife],
        ],
        onStderr: () => {
          if (zygote) zygote.#onStderr();
        },
      });
      zygote = new Zygote(child, { directory, address, status, criuLife, life });
      return zygote;
    } catch (error) {
      for (const fd of [status, criuLife, life]) native().close(fd);
      rmSync(directory, { recursive: true });
      throw error;
    } finally {
      native().close(criuStatus);
    }
  }

  private constructor(child: CriuChild, { directory, address, status, criuLife, life }: Means) {
    this.child = child;
    const { exit } = child;
    exit.beforeReap = () => {
      this.#last?.exit.resolve(this.#last.worker.outliveService());
      this.#last = undefined;
    };
    exit.exited.then(() => {
      if (this.#socket >= 0) closeSync(this.#socket);
      this.#socket = -1;
      native().close(life);
    });
    this.ready = this.#listening(address, status, criuLife).finally(() => {
      native().close(status);
      native().close(criuLife);
      rmSync(directory, { recursive: true, force: true });
    });
    this.ready.catch(() => {});
  }

  /** Connects to the service, which forks a worker. The worker of the last connection must have ended. */
  connect(): ZygoteWorker {
    const socket = new PacketSocket(native().connect(`/proc/self/fd/${this.#socket}`));
    this.child.clearStderr();
    const exit = deferred<ExitStatus>();
    const worker = new ZygoteWorker(this.child, this.#program, socket, exit.promise);
    this.#last = { worker, exit };
    return worker;
  }

  /** Ends the service. Its worker ends by itself, because its connection is closed. */
  async end(worker?: ZygoteWorker): Promise<void> {
    worker?.close();
    if (worker && !this.child.exit.status) await within(LINGER_MS, worker.exited);
    // While it starts, it has children that examine the kernel.
    if (this.#socket < 0 && !this.child.exit.status) killTrees([this.child.pid]);
    await this.child.kill();
  }

  /** Resolves once the service listens, and names its socket by a descriptor. */
  async #listening(address: string, status: number, criuLife: number): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      const watch = native().watch(status, () => {
        watch.close();
        resolve();
      });
      watch.unref();
      // Children of the service may keep the pipe open for longer.
      this.child.exit.exited.then(() => {
        watch.close();
        resolve();
      });
    });
    await answered;
    if (this.child.exit.status || readSync(status, Buffer.alloc(1)) !== 1)
      throw new Error('the service has ended');
    // Before, a service ends because it cannot write its status. Its examination of the kernel must not be
    // interrupted, which would leave processes behind.
    native().signalAtEnd(criuLife, this.child.pid, SIGKILL);
    this.#socket = openSync(address, O_PATH);
    this.#program = programOf(this.child.pid);
  }

  #onStderr(): void {
    if (!this.#last) return;
    const [line, code, signal] = WORKER_END.exec(this.child.remains.stderr ?? '') ?? [];
    if (line === undefined) return;
    const ended = code !== undefined;
    const { exit } = this.#last;
    this.#last = undefined;
    exit.resolve({
      code: ended ? Number(code) : null,
      signal: ended ? null : signalName(Number(signal)),
    });
  }
}
