import { Socket } from 'node:net';
import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { CriuError, type CriuErrorCode } from '../errors.ts';
import { LineSplitter } from '../guest/lines.ts';
import {
  encodeMessage,
  type GuestFailure,
  type GuestHandle,
  type GuestHello,
  type GuestMessage,
  type HostMessage,
  PROTOCOL,
  parseGuestMessage,
  type RestoredMessage,
} from '../guest/protocol.ts';

/** How much longer than its hooks the program may take to answer, in milliseconds. */
const GRACE_MS = 2000;

/** How long the hooks of a program may take by default, in milliseconds. */
export const GUEST_TIMEOUT_MS = 30_000;

/** A signal that ends a wait. */
export interface GuestWait {
  readonly signal?: AbortSignal | undefined;
}

/** A wait that ends after a time as well. */
export interface GuestLimits extends GuestWait {
  /** How long the hooks of the program may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What a program says when it is ready for its checkpoint. */
export interface GuestReady {
  /** What it has open; undefined unless that was asked for. */
  readonly handles: readonly GuestHandle[] | undefined;
}

type Answer = Exclude<GuestMessage, GuestHello | { type: 'checkpoint-me' } | { type: 'handles' }>;

/** The host's end of the connection to the guest library of one program, which may send anything. */
export class GuestChannel {
  readonly #socket: Socket;
  readonly #lines = new LineSplitter();
  /** What the program said when it loaded the library; undefined until then. */
  greeting: GuestHello | undefined;
  readonly #hello = deferred<GuestHello>();
  readonly #requested = deferred<void>();
  #answer: Deferred<Answer> | undefined;
  /** False from the request of a checkpoint until the program says that it continues. */
  #isRunning = true;
  #isResuming = false;
  #handles: readonly GuestHandle[] | undefined;
  #failure: CriuError | undefined;

  /**
   * @param end a connected stream socket, or its descriptor; it is closed with this object. It does not keep Node
   * running.
   */
  constructor(end: Socket | number) {
    this.#socket = typeof end === 'number' ? new Socket({ fd: end }) : end;
    this.#socket.unref();
    for (const { promise } of [this.#hello, this.#requested]) promise.catch(() => {});
    this.#socket.on('data', (bytes) => this.#onData(bytes));
    this.#socket.on('error', (cause) => this.#end('the connection to the program broke', cause));
    this.#socket.on('close', () => this.#end('the program has closed its connection'));
  }

  /** Waits until the program has loaded the library. @throws CriuError ERR_CRIU_GUEST, ERR_CRIU_ABORTED */
  async hello({ signal }: GuestWait = {}): Promise<GuestHello> {
    return await this.#within('hello', this.#hello.promise, signal);
  }

  /** Waits until the program asks for its checkpoint. @throws CriuError ERR_CRIU_GUEST, ERR_CRIU_ABORTED */
  async requested({ signal }: GuestWait = {}): Promise<void> {
    await this.#within('requested', this.#requested.promise, signal);
  }

  /**
   * Has the program run its hooks. Afterwards it is blocked until {@link resume}, or {@link restored} in a copy.
   * After a failure with `ERR_CRIU_ABORTED` or `ERR_CRIU_TIMEOUT`, call {@link resume}; after another one, the
   * program has undone its hooks.
   * @throws CriuError ERR_CRIU_GUEST if it refuses; the `cause` has its error and stack
   */
  async checkpoint(
    limits: GuestLimits & { readonly reportHandles?: boolean },
  ): Promise<GuestReady> {
    const { timeoutMs, reportHandles = false } = limits;
    this.#handles = undefined;
    const request = { type: 'checkpoint', timeoutMs, reportHandles } as const;
    const answer = await this.#ask('checkpoint', request, limits);
    if (answer.type === 'ready') return { handles: this.#handles };
    throw this.#refusal('checkpoint', answer);
  }

  /**
   * Tells a copy what is new in it, and waits until its hooks have run.
   * @throws CriuError ERR_CRIU_GUEST if one fails; the `cause` has its error and stack
   */
  async restored(info: Omit<RestoredMessage, 'type' | 'timeoutMs'>, limits: GuestLimits) {
    const { timeoutMs } = limits;
    const answer = await this.#ask('restored', { type: 'restored', ...info, timeoutMs }, limits);
    if (answer.type !== 'running') throw this.#refusal('restored', answer);
  }

  /** Lets the original continue, and waits until its hooks have run. @throws CriuError as {@link restored} */
  async resume(reason: string, limits: GuestLimits): Promise<void> {
    // It may have refused just now.
    if (this.#isRunning && !this.#failure) return;
    const answer = await this.#ask('resume', { type: 'resume', reason }, limits);
    if (answer.type === 'failed') throw this.#refusal('resume', answer);
  }

  /** Closes the connection. The original continues; a copy that is still blocked ends. Idempotent. */
  close(): void {
    this.#end('the connection was closed');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #ask(operation: string, message: HostMessage, limits: GuestLimits): Promise<Answer> {
    if (this.#failure) throw this.#named(operation, this.#failure);
    const answer = deferred<Answer>();
    answer.promise.catch(() => {});
    this.#answer = answer;
    this.#isRunning = false;
    this.#isResuming = message.type === 'resume';
    // The end of the connection is reported by an event as well.
    this.#socket.write(encodeMessage(message), () => {});
    const { signal } = limits;
    // If a hook takes too long, as long again to undo the others.
    const timeoutMs = limits.timeoutMs * (message.type === 'checkpoint' ? 2 : 1);
    return await this.#within(operation, answer.promise, signal, timeoutMs + GRACE_MS).finally(
      () => {
        if (this.#answer === answer) this.#answer = undefined;
      },
    );
  }

  /** Waits; the time limit and this promise keep Node running meanwhile. */
  async #within<T>(
    operation: string,
    work: Promise<T>,
    signal: AbortSignal | undefined,
    ms?: number,
  ): Promise<T> {
    const over = deferred<never>();
    over.promise.catch(() => {});
    const fail = (code: CriuErrorCode, reason: string, cause?: unknown) =>
      over.reject(new CriuError(code, `${operation}: ${reason}`, { operation, cause }));
    const onAbort = () =>
      fail('ERR_CRIU_ABORTED', 'stopped waiting for the program', signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    const timer =
      ms === undefined
        ? undefined
        : setTimeout(() => fail('ERR_CRIU_TIMEOUT', 'the program does not answer'), ms);
    this.#socket.ref();
    try {
      return await Promise.race([over.promise, work]);
    } catch (error) {
      throw this.#named(operation, error as CriuError);
    } finally {
      this.#socket.unref();
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #onData(bytes: Uint8Array): void {
    try {
      for (const line of this.#lines.push(bytes)) this.#onMessage(parseGuestMessage(line));
    } catch (cause) {
      this.#end(`the program has sent ${(cause as Error).message}`);
    }
  }

  #onMessage(message: GuestMessage): void {
    switch (message.type) {
      case 'hello':
        if (message.protocol !== PROTOCOL) {
          throw new Error(`version ${message.protocol} of the protocol, instead of ${PROTOCOL}`);
        }
        this.greeting = message;
        this.#hello.resolve(message);
        break;
      case 'checkpoint-me':
        this.#requested.resolve();
        break;
      case 'handles':
        this.#handles = message.handles;
        break;
      default:
        this.#isRunning = message.type !== 'ready';
        // The program may have got ready before it was told to continue, which it does then.
        if (message.type === 'ready' && this.#isResuming) return;
        // Without a question this is the late answer to one that was given up.
        this.#answer?.resolve(message);
    }
  }

  #refusal(operation: string, answer: Answer): CriuError {
    if (answer.type !== 'refused' && answer.type !== 'failed') {
      this.#end(`the program has sent ${answer.type} in answer to ${operation}`);
      return this.#named(operation, this.#failure as CriuError);
    }
    const reason = `the program ${answer.type === 'refused' ? 'refused' : 'failed'}: ${answer.error}`;
    const cause = failureOf(answer);
    return new CriuError('ERR_CRIU_GUEST', `${operation}: ${oneLine(reason)}`, {
      operation,
      cause,
    });
  }

  /** Ends the connection, with the reason for all who wait. */
  #end(reason: string, cause?: unknown): void {
    if (this.#failure) return;
    this.#failure = new CriuError('ERR_CRIU_GUEST', oneLine(reason), { cause });
    this.#socket.destroy();
    for (const each of [this.#hello, this.#requested, this.#answer]) each?.reject(this.#failure);
  }

  /** The error of the connection as that of an operation. */
  #named(operation: string, error: CriuError): CriuError {
    if (error !== this.#failure) return error;
    const { code, message, cause } = error;
    return new CriuError(code, `${operation}: ${message}`, { operation, cause });
  }
}

/** The error of the program. */
function failureOf({ error, stack }: GuestFailure): Error {
  const cause = new Error(error);
  cause.stack = stack ?? error;
  return cause;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 1000);
}
