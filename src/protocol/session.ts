import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { isNotificationTraced, traceNotification } from '../diagnostics.ts';
import { CriuError } from '../errors.ts';
import { native, type Packet } from '../native/index.ts';
import type { Notification } from '../options/hooks.ts';
import { type Channel, channelError, endOfChannel } from './channel.ts';
import { type CriuRequest, type CriuResponse, decodeResponse, encodeRequest } from './messages.ts';

/** What an acknowledgement carries besides consent. */
export type NotificationAnswer = { external: readonly string[] } | undefined;

/**
 * Handles one notification. The acknowledgement carries the result; if the handler throws or rejects, it
 * refuses the step. If it returns undefined, nobody listens to this notification, which is acknowledged at once.
 * @param fds the descriptors that came with the notification; the handler owns them
 */
export type NotificationHandler = (
  notification: Notification,
  fds: readonly number[],
) => Promise<NotificationAnswer> | undefined;

/**
 * Observes every notification, also after a cancellation: when it arrives (`'received'`), and after an
 * acknowledgement that lets CRIU continue (`'acknowledged'`). It cannot refuse.
 */
export type NotificationObserver = (
  notification: Notification,
  now: 'received' | 'acknowledged',
) => void;

/** Options of {@link Session.exchange}. */
export interface ExchangeOptions {
  /** Handles the notifications. Without it every step is acknowledged. */
  readonly onNotification?: NotificationHandler | undefined;
  readonly observer?: NotificationObserver | undefined;
  readonly cancellation?: Cancellation | undefined;
}

/** The outcome of a request to which CRIU has replied. */
export interface ExchangeResult {
  readonly reply: CriuResponse;
  /** The first notification that was refused. CRIU ignores the refusal of some steps. */
  readonly refusal: Refusal | undefined;
}

/** A notification that was refused. */
export interface Refusal {
  /** CRIU's name of the step. */
  readonly script: string;
  /** The error of the hook, or the reason of the cancellation. */
  readonly cause: unknown;
}

/** The types of replies that differ from the type of the request. */
const replyTypes: Readonly<Record<string, string>> = { PAGE_SERVER_CHLD: 'PAGE_SERVER' };

/**
 * CRIU's protocol on one channel: request → (notification → acknowledgement)* → reply. It is the only
 * implementation of the protocol in this library.
 */
export class Session {
  readonly #channel: Channel;
  #incoming: Promise<Packet | undefined> | undefined;
  #busy = false;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * Sends a request, acknowledges the notifications, and resolves with the reply, whether it reports
   * success or failure.
   * @throws CriuError ERR_CRIU_EOF if criu ends before it replies, ERR_CRIU_PROTOCOL if it violates
   * the protocol, ERR_CRIU_REQUEST_TOO_LARGE, or ERR_CRIU_INVALID_ARGUMENT if the request cannot be
   * encoded
   */
  async exchange(request: CriuRequest, options: ExchangeOptions = {}): Promise<ExchangeResult> {
    if (this.#busy) throw requestError('the previous request is still under way');
    this.#busy = true;
    using _escalation = escalate(options.cancellation, this.#channel);
    try {
      const packet = encoded(request);
      await this.#assertSilent();
      this.#send(packet);
      return await this.#answer(request, options);
    } finally {
      this.#busy = false;
    }
  }

  /** Rejects if a packet has arrived before the request, because it would be taken for the reply. */
  async #assertSilent(): Promise<void> {
    let early = true;
    const unexpected = this.#next().then((packet) => {
      if (!early) return;
      this.#incoming = undefined;
      if (!packet) throw endOfChannel();
      for (const fd of packet.fds) native().close(fd);
      throw protocolError('criu sent a packet before the request');
    });
    // A later failure is reported where the packet is received.
    unexpected.catch(() => {});
    await Promise.race([unexpected, nextTurn()]);
    early = false;
  }

  async #answer(request: CriuRequest, options: ExchangeOptions): Promise<ExchangeResult> {
    let refusal: Refusal | undefined;
    for (;;) {
      const { reply, fds } = await this.#receive().catch((error: CriuError) => {
        // criu ended after the refusal: the cause of the refusal is the cause of the failure.
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

  /** Acknowledges a notification; resolves with the refusal, if it is refused. */
  async #acknowledge(
    { notify }: CriuResponse,
    fds: readonly number[],
    { onNotification, observer, cancellation }: ExchangeOptions,
  ): Promise<Refusal | undefined> {
    const script = notify?.script ?? '';
    const notification = notify?.pid === undefined ? { script } : { script, pid: notify.pid };
    let answer: NotificationAnswer;
    let refusal: Refusal | undefined;
    observer?.(notification, 'received');
    let handling: Promise<NotificationAnswer> | undefined;
    if (cancellation?.reason || !onNotification) for (const fd of fds) native().close(fd);
    else handling = startHandling(onNotification, notification, fds);
    if (handling) {
      // CRIU sends nothing while it waits for the acknowledgement: a packet that arrives now violates
      // the protocol. A packet that arrives later is the next message, and is received elsewhere.
      let waiting = true;
      const interrupted = this.#next().then((packet) => {
        if (!packet) throw endOfChannel();
        if (waiting) for (const fd of packet.fds) native().close(fd);
        throw impatient();
      });
      interrupted.catch(() => {});
      const answered = handling.then(
        (given) => {
          answer = given;
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
    this.#acknowledgeWith(acknowledgement(refusal === undefined, answer?.external));
    if (!refusal) observer?.(notification, 'acknowledged');
    return refusal;
  }

  #acknowledgeWith(packet: Uint8Array): void {
    try {
      this.#channel.send(packet);
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      throw isFull ? impatient() : channelError(error, packet.length);
    }
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
    if (!packet) throw endOfChannel();
    try {
      return { reply: decodeResponse(packet.data), fds: packet.fds };
    } catch (cause) {
      for (const fd of packet.fds) native().close(fd);
      throw protocolError(`criu sent ${packet.data.length} bytes that are not a message`, cause);
    }
  }

  /** Resolves with the next packet. Every call gets the same packet until it is consumed. */
  #next(): Promise<Packet | undefined> {
    this.#incoming ??= this.#channel.receive().catch((error: unknown) => {
      throw channelError(error);
    });
    return this.#incoming;
  }
}

/** Kills criu if it has not ended within the grace period after a cancellation. */
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

/** Undefined if nobody listens to the notification. */
function startHandling(
  handler: NotificationHandler,
  notification: Notification,
  fds: readonly number[],
): Promise<NotificationAnswer> | undefined {
  try {
    if (!isNotificationTraced()) return handler(notification, fds);
    return traceNotification(notification, async () => await handler(notification, fds));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The acknowledgements of most notifications, encoded once. */
const plain = new Map<boolean, Uint8Array>();

function acknowledgement(agrees: boolean, external: readonly string[] = []): Uint8Array {
  const known = external.length === 0 ? plain.get(agrees) : undefined;
  if (known) return known;
  const packet = encoded({
    type: 'NOTIFY',
    notify_success: agrees,
    ...(external.length > 0 && { opts: { images_dir_fd: -1, external: [...external] } }),
  });
  if (external.length === 0) plain.set(agrees, packet);
  return packet;
}

function encoded(request: CriuRequest): Uint8Array {
  try {
    return encodeRequest(request);
  } catch (cause) {
    // A getter in the request can throw any value.
    const message = cause instanceof Error ? cause.message : 'the request cannot be read';
    throw requestError(message, cause);
  }
}

function checkType(request: CriuRequest, reply: CriuResponse): void {
  const expected = replyTypes[request.type ?? ''] ?? request.type;
  // CRIU replies to a request that it does not know with type EMPTY and success false.
  if (reply.type === expected || (reply.type === 'EMPTY' && !reply.success)) return;
  throw protocolError(`criu replied to ${request.type} with ${reply.type ?? 'no type'}`);
}

function requestError(message: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { option: 'request', cause });
}

/** Also if criu does not read its acknowledgements, so that the socket takes no more of them. */
function impatient(): CriuError {
  return protocolError('criu continued without waiting for the acknowledgement');
}

function protocolError(message: string, cause?: unknown): CriuError {
  return new CriuError('ERR_CRIU_PROTOCOL', message, { cause });
}
