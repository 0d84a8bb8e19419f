import { CriuError, type CriuErrorCode } from '../errors.ts';
import { Session } from '../protocol/session.ts';
import type { CriuConnection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { ServiceConnection } from './service.ts';
import { Worker, type WorkerOptions } from './worker.ts';
import type { ZygoteWorker } from './zygote-worker.ts';

interface Opening extends Omit<WorkerOptions, 'path'> {
  readonly operation: string;
  readonly endpoint: Endpoint;
  /** True if the worker of a service can serve the request: it inherits no descriptors, and has no children here. */
  readonly mayBePooled?: boolean;
}

/** A criu process and the session with it, for one request or, where CRIU allows it, several. */
export class WorkerSession {
  readonly worker: CriuConnection;
  readonly session: Session;
  /** True once criu has ended or is about to end: the next request needs another criu. */
  over = false;
  /** Set if criu was taken from the pool of this endpoint. */
  readonly #lent: { readonly worker: ZygoteWorker; readonly endpoint: Endpoint } | undefined;

  /** Starts criu, takes one from the pool, or connects to the service. @throws CriuError */
  static async open(opening: Opening): Promise<WorkerSession> {
    const { operation, endpoint, isHalfRestored } = opening;
    if (endpoint.isService) {
      const connection = await ServiceConnection.open(operation, endpoint.path);
      connection.isHalfRestored = isHalfRestored;
      return new WorkerSession(connection);
    }
    const worker = fromPool(opening);
    if (worker) return new WorkerSession(worker, { worker, endpoint });
    return new WorkerSession(await start(opening));
  }

  private constructor(
    worker: CriuConnection,
    lent?: { readonly worker: ZygoteWorker; readonly endpoint: Endpoint },
  ) {
    this.worker = worker;
    this.#lent = lent;
    this.session = new Session(worker);
  }

  /** True if criu can go back to a pool. */
  get isLent(): boolean {
    return this.#lent !== undefined;
  }

  /** Returns criu, which has replied and waits for the next request, to its pool. */
  giveBack(): void {
    this.over = true;
    if (this.#lent) this.#lent.endpoint.pool?.giveBack(this.#lent.worker);
  }

  /** Closes the connection and waits for the end of criu. Idempotent. */
  async end(): Promise<void> {
    this.over = true;
    await this.worker.end();
  }
}

/** Takes a worker from the pool, unless the operation needs a criu of its own. */
function fromPool(opening: Opening): ZygoteWorker | undefined {
  const { endpoint, inherited, inSession, enclosure, isHalfRestored, mayBePooled } = opening;
  if (!mayBePooled || inherited?.length || inSession || enclosure) return undefined;
  const worker = endpoint.pool?.take(endpoint);
  if (worker) worker.isHalfRestored = isHalfRestored;
  return worker;
}

async function start({ operation, endpoint, ...options }: Opening): Promise<Worker> {
  const { inherited, inSession, enclosure, isHalfRestored } = options;
  try {
    return await Worker.start({
      path: endpoint.path,
      enclosure,
      ...(inherited && { inherited }),
      ...(inSession && { inSession }),
      isHalfRestored,
    });
  } catch (error) {
    throw startFailure(operation, endpoint, error);
  }
}

/** The error for a criu that could not be started. */
export function startFailure(
  operation: string,
  { path }: { readonly path: string },
  error: unknown,
): CriuError {
  if (error instanceof CriuError) return error;
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return new CriuError(
    startCodes[code ?? ''] ?? 'ERR_CRIU_SYSTEM',
    `${operation}: cannot start ${path}: ${message}`,
    // Node.js functions report errno as a negative number.
    { operation, errno: errno === undefined ? undefined : Math.abs(errno), cause: error },
  );
}

const startCodes: Readonly<Record<string, CriuErrorCode>> = {
  ENOENT: 'ERR_CRIU_NOT_FOUND',
  EACCES: 'ERR_CRIU_NO_PERMISSION',
  EPERM: 'ERR_CRIU_NO_PERMISSION',
  ENOEXEC: 'ERR_CRIU_NOT_CRIU',
};
