import { spawnSlot } from '../concurrency/spawn-slot.ts';
import { CriuError, type CriuErrorCode } from '../errors.ts';
import { Session } from '../protocol/session.ts';
import type { Binary } from './binary.ts';
import { Worker, type WorkerOptions } from './worker.ts';

/** The criu to start. */
interface Opening extends Omit<WorkerOptions, 'path'> {
  readonly operation: string;
  readonly binary: Binary;
  /** It is only asked something, and can go back where it came from. */
  readonly repeatable?: boolean;
}

/** A criu that has been started, and what is said to it: one request, or several where it allows that. */
export class WorkerSession {
  readonly worker: Worker;
  readonly session: Session;
  /** Whether it has ended, or is about to: the next request needs another one. */
  over = false;
  readonly #lender: Binary | undefined;

  /** Starts criu. @throws CriuError if that fails */
  static async open(opening: Opening): Promise<WorkerSession> {
    const waiting = fromPool(opening);
    if (waiting) return new WorkerSession(waiting, opening.binary);
    await spawnSlot();
    return new WorkerSession(start(opening));
  }

  /** @param lender the binary whose pool the worker is from */
  private constructor(worker: Worker, lender?: Binary) {
    this.worker = worker;
    this.#lender = lender;
    this.session = new Session(worker);
  }

  /** Whether it can go back to where it came from. */
  get isLent(): boolean {
    return this.#lender !== undefined;
  }

  /** Lets others have the criu, which has answered and waits for the next request. */
  giveBack(): void {
    this.over = true;
    if (this.#lender) this.#lender.pool?.giveBack(this.worker, this.#lender);
  }

  /** Uses up a criu that was to go back: another one takes its place there. */
  useUp(): void {
    this.over = true;
    if (this.#lender) this.#lender.pool?.startSoon(this.#lender);
  }

  /** Hangs up and waits for the end of criu. Idempotent. */
  async end(): Promise<void> {
    this.over = true;
    await this.worker.end();
  }
}

/** A worker that was started before, unless this one has to be started with something of its own. */
function fromPool({
  binary,
  inherited,
  inSession,
  unfinished,
  repeatable = false,
}: Opening): Worker | undefined {
  if (inherited?.length || inSession) return undefined;
  const worker = binary.pool?.take(binary, repeatable);
  if (worker) worker.unfinished = unfinished;
  return worker;
}

function start({ operation, binary, inherited, inSession, unfinished }: Opening): Worker {
  try {
    return Worker.start({
      path: binary.path,
      ...(inherited && { inherited }),
      ...(inSession && { inSession }),
      unfinished,
    });
  } catch (error) {
    throw startFailure(operation, binary, error);
  }
}

/** The error of a criu that could not be started. */
export function startFailure(operation: string, binary: Binary, error: unknown): CriuError {
  if (error instanceof CriuError) return error;
  const { code, errno, message } = error as NodeJS.ErrnoException;
  return new CriuError(
    startCodes[code ?? ''] ?? 'ERR_CRIU_SYSTEM',
    `${operation}: cannot start ${binary.path}: ${message}`,
    // Node's own functions have it negative.
    { operation, errno: errno === undefined ? undefined : Math.abs(errno), cause: error },
  );
}

const startCodes: Readonly<Record<string, CriuErrorCode>> = {
  ENOENT: 'ERR_CRIU_NOT_FOUND',
  EACCES: 'ERR_CRIU_NO_PERMISSION',
  EPERM: 'ERR_CRIU_NO_PERMISSION',
  ENOEXEC: 'ERR_CRIU_NOT_CRIU',
};
