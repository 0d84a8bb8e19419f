import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError, type ExitStatus } from '../errors.ts';
import { brokenOff, failureOf, hasSucceeded } from '../failure/failure.ts';
import { checkOptions, readOptions, record, type Shape } from '../options/check.ts';
import type { Hooks } from '../options/hooks.ts';
import { descriptor, descriptorOf } from '../options/kinds.ts';
import { limits, operationOptions } from '../options/operation-options.ts';
import type { DescriptorLike, OperationOptions } from '../options/types.ts';
import { callHooks } from '../protocol/hooks.ts';
import type { CriuRequest, CriuResponse } from '../protocol/messages.ts';
import type { Session } from '../protocol/session.ts';
import type { CriuConnection } from '../worker/connection.ts';
import { locate } from '../worker/endpoint.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import type { Client } from './client.ts';
import { INHERITS, unsupported } from './service-limits.ts';
import { watchRequest } from './session-evidence.ts';

/**
 * Options of `Criu.session`. `signal` and `deadlineMs` apply to the whole session: when one of them
 * fires, the request in progress is cancelled, the session ends, and later requests are refused.
 */
export interface SessionOptions extends OperationOptions {
  /**
   * Descriptors that criu inherits, keyed by their number in criu (4 and up). `inherit_fd.fd` and
   * `ps.fd` refer to these numbers.
   */
  descriptors?: Readonly<Record<number, DescriptorLike>>;
}

const takes = 'a record of open descriptors by their number in criu, 4 and up';
const isNumber = (name: string) =>
  /^[1-9]\d*$/.test(name) && Number(name) >= 4 && Number(name) < 0x7fffffff;

const sessionOptions: Shape<SessionOptions> = {
  ...limits,
  descriptors: record(takes, isNumber, descriptor),
};

/** The descriptors that the criu of a session inherits, as `[number in criu, number here]`. */
function inheritedBySession({ descriptors = {} }: SessionOptions): [number, number][] {
  return Object.entries(descriptors).map(([number, like]) => [
    Number(number),
    descriptorOf(like) as number,
  ]);
}

/** Options of {@link CriuSession.request}. */
export interface RequestOptions extends OperationOptions {
  /** Called at CRIU's steps, if the request has `opts.notify_scripts`. */
  hooks?: Hooks;
}

/**
 * A dedicated criu process that takes raw requests: for requests that have no method, and for several
 * requests in a row where CRIU allows it (`keep_open`, and PRE_DUMP until DUMP). Options have CRIU's
 * names and are sent unchanged: `images_dir_fd`, `work_dir_fd` and `pidfd_store_sk` are descriptors of
 * this process, `inherit_fd.fd` and `ps.fd` are descriptors of criu.
 */
export class CriuSession implements AsyncDisposable {
  readonly #worker: CriuConnection;
  readonly #session: Session;
  readonly #limits: Cancellation;
  /** The requests in progress: more than one while the session refuses another. */
  #requests = 0;
  #closed = false;

  /** @internal */
  static async open(client: Client, options: SessionOptions): Promise<CriuSession> {
    const given = checkOptions('session', options, sessionOptions);
    const inherited = inheritedBySession(given);
    if (client.socket !== undefined && inherited.length > 0) {
      throw unsupported('session', 'descriptors', INHERITS);
    }
    const cancellation = new Cancellation('session', given);
    try {
      cancellation.throwIfRequested();
      const endpoint = await locate('session', client);
      const opening = { operation: 'session', endpoint, inherited };
      return new CriuSession(await WorkerSession.open(opening), cancellation);
    } catch (error) {
      cancellation[Symbol.dispose]();
      throw error;
    }
  }

  /** Disposes of the limits when criu has ended. */
  private constructor({ worker, session }: WorkerSession, limits: Cancellation) {
    this.#worker = worker;
    this.#session = session;
    this.#limits = limits;
    limits.requested.then(() => {
      // A request in progress may end first, within its grace period.
      if (this.#requests === 0) worker.end();
    });
    worker.exited.then(() => limits[Symbol.dispose]());
  }

  /** The pid of criu; undefined over a criu service. */
  get pid(): number | undefined {
    return this.#worker.pid;
  }

  /** Resolves when criu has ended. Never rejects; waiting for it does not keep Node running. */
  get exited(): Promise<ExitStatus> {
    return this.#worker.exited;
  }

  /**
   * Sends a request and resolves with CRIU's reply.
   * @throws CriuError if CRIU reports a failure or does not reply; after ERR_CRIU_EOF and
   * ERR_CRIU_PROTOCOL the session cannot be used any more
   */
  async request(request: CriuRequest, options: RequestOptions = {}): Promise<CriuResponse> {
    if (this.#closed) throw closed();
    const own = readOptions('session', request, 'request');
    const { hooks, ...given } = checkOptions('session', options, operationOptions);
    const gracePeriodMs = given.gracePeriodMs ?? this.#limits.graceMs;
    using cancellation = new Cancellation('session', { ...given, gracePeriodMs }, this.#limits);
    cancellation.throwIfRequested();
    using _turn = this.#turn();
    // The path works while the caller's descriptor is open.
    const images = `/proc/self/fd/${own.opts?.images_dir_fd}`;
    const label = `session: ${typeof own.type === 'string' ? own.type : 'request'}`;
    const evidenceOf = await watchRequest(own);
    const outcome = await this.#session
      .exchange(own, { cancellation, onNotification: callHooks(hooks ?? {}, images) })
      .catch((error: CriuError) => error);
    const over = outcome instanceof Error && outcome.code === 'ERR_CRIU_EOF';
    if (over && this.#closed) throw closed();
    // After a failure criu ends, and only its exit makes standard error complete.
    const ending = over || ('reply' in outcome && !outcome.reply.success && !own.keep_open);
    const remains = ending ? await this.#worker.end() : this.#worker.remains;
    if (!(outcome instanceof Error) && hasSucceeded(outcome, cancellation)) return outcome.reply;
    const evidence = {
      ...{ operation: 'session', label, cancellation, remains },
      ...(await evidenceOf()),
    };
    throw outcome instanceof Error ? brokenOff(outcome, evidence) : failureOf(outcome, evidence);
  }

  /** Tracks a request in progress, after which the session may be over. */
  #turn(): Disposable {
    this.#requests++;
    return {
      [Symbol.dispose]: () => {
        this.#requests--;
        if (this.#requests === 0 && this.#limits.reason) this.#worker.end();
      },
    };
  }

  /** Closes the connection and waits for the end of criu. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.end();
  }

  /** Same as {@link CriuSession.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function closed(): CriuError {
  return new CriuError('ERR_CRIU_CLOSED', 'session: it is closed', { operation: 'session' });
}
