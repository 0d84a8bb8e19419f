import type { CriuError, CriuLog, ExitStatus } from '../errors.ts';
import { brokenOff, failureOf } from '../failure/failure.ts';
import { native } from '../native/index.ts';
import type { PageServerOptions } from '../options/types.ts';
import { exitStatus, openPidfd, watchExit } from '../process/exit.ts';
import { terminate } from '../process/terminate.ts';
import type { Session } from '../protocol/session.ts';
import type { Worker } from '../worker/worker.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import type { Client, GivenOptions } from './client.ts';
import { type Prepared, prepare } from './run.ts';

/** Where a page server listens if the caller does not say: for this host alone, on any free port. */
const HERE: PageServerOptions = { address: '127.0.0.1', port: 0 };

/**
 * A page server of CRIU: takes the memory pages of one dump or pre-dump and writes them into its
 * images directory. The dump's other images stay with the dump.
 */
export class PageServer implements AsyncDisposable {
  /** Its pid. */
  readonly pid: number;
  /** The address that it listens on; undefined if it serves a given connection. */
  readonly address: string | undefined;
  /** The port that it listens on, also if the kernel chose it; undefined likewise. */
  readonly port: number | undefined;
  /**
   * Resolves when it has ended: with code 0 if a dump took leave of it, also one that failed by
   * itself. Never rejects. A page server keeps Node running, as a server of Node's does.
   */
  readonly exited: Promise<ExitStatus>;
  readonly #prepared: Prepared;
  #pidfd: number | undefined;

  private constructor(
    prepared: Prepared,
    worker: Worker,
    session: Session,
    pid: number,
    port: number | undefined,
  ) {
    const { address } = prepared.request.opts?.ps ?? {};
    this.pid = pid;
    this.address = address;
    this.port = address === undefined ? undefined : port;
    this.#prepared = prepared;
    this.#pidfd = openPidfd(pid);
    this.exited = this.#untilExited(worker, session);
  }

  /** @internal */
  static async start(client: Client, given: GivenOptions): Promise<PageServer> {
    const job = { operation: 'pageServer', label: 'pageServer', type: 'PAGE_SERVER_CHLD' } as const;
    const options = withAddress(given, client.defaults);
    return await prepare(client, job, options, async (prepared) => {
      const { request, cancellation, log } = prepared;
      const { worker, session } = await WorkerSession.open(prepared);
      const outcome = await session
        .exchange({ ...request, keep_open: true }, { cancellation })
        .catch((error: CriuError) => error);
      const ps = 'reply' in outcome && outcome.reply.success ? outcome.reply.ps : undefined;
      if (ps?.pid !== undefined) return new PageServer(prepared, worker, session, ps.pid, ps.port);
      const evidence = { ...prepared, remains: await worker.end(), log: await log.read() };
      throw 'reply' in outcome ? failureOf(outcome, evidence) : brokenOff(outcome, evidence);
    });
  }

  /** What its log says so far. */
  async log(): Promise<CriuLog | undefined> {
    return await this.#prepared.log.read();
  }

  /** Ends it, if it has not ended by itself, and resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    await terminate((number) => this.#signal(number), this.exited);
  }

  #signal(number: number): void {
    try {
      if (this.#pidfd !== undefined) native().pidfdSendSignal(this.#pidfd, number);
    } catch (error) {
      // It has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Same as {@link PageServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Its parent is the criu that started it, which waits for it on our behalf. */
  async #untilExited(worker: Worker, session: Session): Promise<ExitStatus> {
    const status = await session.exchange({ type: 'WAIT_PID', pid: this.pid }).then(
      ({ reply }) => reply.status,
      () => undefined,
    );
    if (this.#pidfd !== undefined) {
      // That criu may have died before it; nobody can know its status then.
      if (status === undefined) await untilGone(this.#pidfd);
      else native().close(this.#pidfd);
    }
    this.#pidfd = undefined;
    await worker.end();
    return exitStatus(status);
  }
}

/** Closes the pidfd, too. */
async function untilGone(pidfd: number): Promise<void> {
  const watch = watchExit(pidfd);
  watch.ref();
  await watch.exited;
}

/** The options with an address to listen on, unless they have one or a connection already. */
function withAddress(given: GivenOptions, defaults: Client['defaults']): GivenOptions {
  if (typeof given !== 'object' || given === null) return given;
  const { pageServer = defaults.pageServer ?? HERE } = given;
  const byAddress = pageServer && typeof pageServer === 'object' && pageServer.fd === undefined;
  return { ...given, pageServer: byAddress ? { ...HERE, ...pageServer } : pageServer };
}
