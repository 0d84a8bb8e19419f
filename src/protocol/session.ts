import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { traceNotification } from '../diagnostics.ts';
import { CriuError } from '../errors.ts';
import type { Packet } from '../native/index.ts';
import { native } from '../native/index.ts';
import type { Notification } from '../options/types.ts';
import type { Notified } from './hooks.ts';
import { type CriuRequest, type CriuResponse, decodeResponse, encodeRequest } from './messages.ts';

/** What a session speaks over: whole packets, to and from a criu. */
export interface Channel {
  /** Sends one packet; throws as the socket does (EPIPE, EMSGSIZE, …). */
  send(packet: Uint8Array): void;
  /** The next packet, or undefined once the other side has closed; rejects as the socket does. */
  receive(): Promise<Packet | undefined>;
  /** Ends the other side by force. */
  kill(): void;
}

/**
 * Is told of every notification, also after a cancellation: when CRIU asks, and when it was told to
 * go on. It has no say in that.
 */
export type Observed = (notification: Notification, now: 'asked' | 'agreed') => void;

/** What goes with a request. */
export interface ExchangeOptions {
  /** Answers CRIU's notifications; without it they are all agreed to. */
  readonly notified?: Notified | undefined;
  readonly observed?: Observed | undefined;
  readonly cancellation?: Cancellation | undefined;
}

/** How a request ended, when CRIU has replied to it. */
export interface Exchanged {
  readonly reply: CriuResponse;
  /** The first notification that was refused, and why; CRIU may have gone on all the same. */
  readonly refusal: Refusal | undefined;
}

export interface Refusal {
  readonly script: string;
  /** What the hook threw, or the reason of the cancellation. */
  readonly cause: unknown;
}

/** Replies whose type is not that of their request. */
const replyTypes: Readonly<Record<string, string>> = { PAGE_SERVER_CHLD: 'PAGE_SERVER' };

/**
 * CRIU's protocol on one channel: request → (notification → acknowledgement)* → reply. Nothing
 * else in the library knows it.
 */
export class Session {
  readonly #channel: Channel;
  #incoming: Promise<Packet | undefined> | undefined;
  #busy = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * Sends a request, answers the notifications, and resolves with the reply, be it of success or
   * of failure.
   * @throws CriuError ERR_CRIU_EOF if the other side ends before it replies, ERR_CRIU_PROTOCOL if
   * it sends what it may not, ERR_CRIU_REQUEST_TOO_LARGE, or ERR_CRIU_INVALID_ARGUMENT if the
   * request cannot be made
   */
  async exchange(request: CriuRequest, options: ExchangeOptions = {}): Promise<Exchanged> {
    if (this.#busy) throw requestError('the last request is not answered yet');
    this.#busy = true;
    using _escalation = escalate(options.cancellation, this.#channel);
    try {
      const packet = encoded(request);
      await this.#refuseUnasked();
      this.#send(packet);
      return await this.#answer(request, options);
    } finally {
      this.#busy = false;
    }
  }

  /** What has come before the request would be taken for its reply. */
  async #refuseUnasked(): Promise<void> {
    let early = true;
    const spoken = this.#next().then((packet) => {
      if (!early) return;
      this.#incoming = undefined;
      if (!packet) throw eof();
      for (const fd of packet.fds) native().close(fd);
      throw protocolError('criu sent something before it was asked');
    });
    // Later it is awaited where it is received.
    spoken.catch(() => {});
    await Promise.race([spoken, turnOfTheLoop()]);
    early = false;
  }

  async #answer(request: CriuRequest, options: ExchangeOptions): Promise<Exchanged> {
    let refusal: Refusal | undefined;
    for (;;) {
      const { reply, fds } = await this.#receive().catch((error: CriuError) => {
        // criu did not survive the refusal; what led to it is still the reason.
        throw refusal ? new CriuError(error.code, error.message, refusal) : error;
      });
      if (reply.type !== 'NOTIFY') {
        for (const fd of fds) native().close(fd);
        checkType(request, reply);
        return { reply, refusal };
      }
      const acknowledged = await this.#acknowledge(reply, fds, options);
      refusal ??= acknowledged;
    }
  }

  /** Answers a notification; resolves with the refusal if it was one. */
  async #acknowledge(
    { notify }: CriuResponse,
    fds: readonly number[],
    { notified, observed, cancellation }: ExchangeOptions,
  ): Promise<Refusal | undefined> {
    const script = notify?.script ?? '';
    const notification = notify?.pid === undefined ? { script } : { script, pid: notify.pid };
    let external: readonly string[] = [];
    let refusal: Refusal | undefined;
    observed?.(notification, 'asked');
    if (cancellation?.reason || !notified) {
      for (const fd of fds) native().close(fd);
    } else {
      // CRIU is silent while it waits: what comes now is its end, or a breach of the protocol. What
      // comes after that is the next message, which is another's to take.
      let waiting = true;
      const interrupted = this.#next().then((packet) => {
        if (!packet) throw eof();
        if (waiting) for (const fd of packet.fds) native().close(fd);
        throw protocolError('criu went on without waiting for an acknowledgement');
      });
      interrupted.catch(() => {});
      const answered = traceNotification(notification, () => notified(notification, fds)).then(
        (answer) => {
          external = answer?.external ?? [];
        },
        (cause: unknown) => {
          refusal = { script, cause };
        },
      );
      await Promise.race([
        answered,
        interrupted,
        ...(cancellation ? [cancellation.requested] : []),
      ]);
      waiting = false;
    }
    if (cancellation?.reason) refusal ??= { script, cause: cancellation.reason };
    this.#send(
      encoded({
        type: 'NOTIFY',
        notify_success: refusal === undefined,
        ...(external.length > 0 && { opts: { images_dir_fd: -1, external: [...external] } }),
      }),
    );
    if (!refusal) observed?.(notification, 'agreed');
    return refusal;
  }

  #send(packet: Uint8Array): void {
    try {
      this.#channel.send(packet);
    } catch (error) {
      throw channelError(error, packet.length);
    }
  }

  async #receive(): Promise<{ reply: CriuResponse; fds: readonly number[] }> {
    const packet = await this.#next();
    this.#incoming = undefined;
    if (!packet) throw eof();
    try {
      return { reply: decodeResponse(packet.data), fds: packet.fds };
    } catch (cause) {
      for (const fd of packet.fds) native().close(fd);
      throw protocolError(`criu sent ${packet.data.length} bytes that are no message`, cause);
    }
  }

  /** The packet that comes next; asking twice does not skip one. */
  #next(): Promise<Packet | undefined> {
    this.#incoming ??= this.#channel.receive().catch((error: unknown) => {
      throw channelError(error);
    });
    return this.#incoming;
  }
}

/** Once cancelled, the other side has the grace period to end in its own way. */
function escalate(cancellation: Cancellation | undefined, channel: Channel): Disposable {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  cancellation?.requested.then(() => {
    if (!over) timer = setTimeout(() => channel.kill(), cancellation.graceMs);
  });
  return {
    [Symbol.dispose]() {
      over = true;
      clearTimeout(timer);
    },
  };
}

function encoded(request: CriuRequest): Uint8Array {
  try {
    return encodeRequest(request);
  } catch (cause) {
    // A getter in the request may throw anything.
    throw requestError(cause instanceof Error ? cause.message : 'it cannot be read', cause);
  }
}

function checkType(request: CriuRequest, reply: CriuResponse): void {
  const expected = replyTypes[request.type ?? ''] ?? request.type;
  // To what it does not understand CRIU replies with type EMPTY and success false.
  if (reply.type === expected || (reply.type === 'EMPTY' && !reply.success)) return;
  throw protocolError(`criu replied to ${request.type} with ${reply.type ?? 'no type'}`);
}

function requestError(message: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { option: 'request', cause });
}

function protocolError(message: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_PROTOCOL', message, { cause });
}

function eof(): CriuError {
  return new CriuError('ERR_CRIU_EOF', 'criu ended without a reply');
}

function channelError(error: unknown, size?: number): CriuError {
  const { code, errno } = error as NodeJS.ErrnoException;
  // Without a reader there are two ways for the kernel to say so.
  if (code === 'EPIPE' || code === 'ECONNRESET') return eof();
  if (code === 'EMSGSIZE') {
    const message = `the request has ${size} bytes, more than the socket takes in one packet`;
    return new CriuError('ERR_CRIU_REQUEST_TOO_LARGE', message, { errno, cause: error });
  }
  const { message } = error as Error;
  return new CriuError('ERR_CRIU_SYSTEM', `the channel to criu failed: ${message}`, {
    errno,
    cause: error,
  });
}
