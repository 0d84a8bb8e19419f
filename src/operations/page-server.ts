import { resolve } from 'node:path';
import type { CriuError, CriuLog, ExitStatus } from '../errors.ts';
import { brokenOff, failureOf } from '../failure/failure.ts';
import { native } from '../native/index.ts';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions, PageServerOptions } from '../options/types.ts';
import { exitStatus, openPidfd, watchExit } from '../process/exit.ts';
import { terminate } from '../process/terminate.ts';
import type { Session } from '../protocol/session.ts';
import type { CriuConnection } from '../worker/connection.ts';
import type { Client } from './client.ts';
import { resolveOptions } from './resolve.ts';
import { type Prepared, prepare } from './run.ts';

/** Options of {@link Criu.pageServer}. */
export interface PageServerStartOptions
  extends Pick<CriuOpts, OptionOf<'pageServer'>>,
    OperationOptions {}

/** The default address of a page server: loopback only, on any free port. */
const HERE: PageServerOptions = { address: '127.0.0.1', port: 0 };

/**
 * A CRIU page server: receives the memory pages of one dump or pre-dump and writes them to its images
 * directory. All other images are written by the dump itself.
 */
export class PageServer implements AsyncDisposable {
  /** The pid of the page server. */
  readonly pid: number;
  /** The address that it listens on; undefined if it serves a given connection. */
  readonly address: string | undefined;
  /** The port that it listens on; undefined if it serves a given connection. */
  readonly port: number | undefined;
  /**
   * Resolves when the page server has ended and, unless `durable` is false, its images are on the disk:
   * with code 0 if the dump closed the connection properly, even if the dump itself failed, and with code
   * 1 if the images cannot be written to the disk. The dump closes it before its hook `postDump`. Never
   * rejects. Like a server of Node.js, it keeps the event loop alive.
   */
  readonly exited: Promise<ExitStatus>;
  readonly #prepared: Prepared;
  /** The directory whose images are to be written to the disk. */
  readonly #durable: string | undefined;
  #pidfd: number | undefined;

  private constructor(
    prepared: Prepared,
    worker: CriuConnection,
    session: Session,
    pid: number,
    port: number | undefined,
    durable: string | undefined,
  ) {
    const { address } = prepared.request.opts?.ps ?? {};
    this.pid = pid;
    this.address = address;
    this.port = address === undefined ? undefined : port;
    this.#prepared = prepared;
    this.#durable = durable;
    this.#pidfd = openPidfd(pid);
    this.exited = this.#untilExited(worker, session);
  }

  /** @internal */
  static async start(client: Client, given: PageServerStartOptions): Promise<PageServer> {
    using resolved = await resolveOptions(
      client,
      'pageServer',
      withAddress(given, client.defaults),
    );
    const job = { request: { type: 'PAGE_SERVER_CHLD', label: 'pageServer' } } as const;
    return await prepare(client, resolved, job, async (prepared) => {
      const { request, cancellation, log, workerSession } = prepared;
      const { worker, session } = workerSession;
      const outcome = await session
        .exchange({ ...request, keep_open: true }, { cancellation })
        .catch((error: CriuError) => error);
      const ps = 'reply' in outcome && outcome.reply.success ? outcome.reply.ps : undefined;
      const durable =
        resolved.effective.durable === false ? undefined : resolve(prepared.imagesDirectory);
      if (ps?.pid !== undefined) {
        return new PageServer(prepared, worker, session, ps.pid, ps.port, durable);
      }
      const evidence = { ...prepared, remains: await worker.end(), log: await log.read() };
      throw 'reply' in outcome ? failureOf(outcome, evidence) : brokenOff(outcome, evidence);
    });
  }

  /** CRIU's log so far. */
  async log(): Promise<CriuLog | undefined> {
    return await this.#prepared.log.read();
  }

  /** Terminates the page server if it still runs, and resolves when it is gone. Idempotent. */
  async close(): Promise<void> {
    await terminate((number) => this.#signal(number), this.exited);
  }

  #signal(number: number): void {
    try {
      if (this.#pidfd !== undefined) native().pidfdSendSignal(this.#pidfd, number);
    } catch (error) {
      // The page server has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Same as {@link PageServer.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The parent of the page server is the criu that started it: that criu waits for its end. */
  async #untilExited(worker: CriuConnection, session: Session): Promise<ExitStatus> {
    const status = await session.exchange({ type: 'WAIT_PID', pid: this.pid }).then(
      ({ reply }) => reply.status,
      () => undefined,
    );
    if (this.#pidfd !== undefined) {
      // If that criu died first, the exit status is unknown.
      if (status === undefined) await untilGone(this.#pidfd);
      else native().close(this.#pidfd);
    }
    this.#pidfd = undefined;
    await worker.end();
    const exit = exitStatus(status);
    if (exit.code !== 0 || this.#durable === undefined) return exit;
    return await native()
      .syncFiles(this.#durable)
      .then(
        () => exit,
        () => ({ code: 1, signal: null }),
      );
  }
}

/** Resolves when a process has ended, and closes its pidfd. */
async function untilGone(pidfd: number): Promise<void> {
  const watch = watchExit(pidfd);
  watch.ref();
  await watch.exited;
}

/** The options with the default address, unless they have an address or a connection. */
function withAddress(
  given: PageServerStartOptions,
  defaults: Client['defaults'],
): PageServerStartOptions {
  if (typeof given !== 'object' || given === null) return given;
  const { pageServer = defaults.pageServer ?? HERE } = given;
  const byAddress = pageServer && typeof pageServer === 'object' && pageServer.fd === undefined;
  return { ...given, pageServer: byAddress ? { ...HERE, ...pageServer } : pageServer };
}
