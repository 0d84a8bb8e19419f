import type { Socket } from 'node:net';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest } from '../../generated/types/node_criu/OfferRequest.ts';
import type { Credentials } from '../protocol/credentials.ts';
import type { DestinationClient, StatusCall } from '../protocol/destination-client.ts';
import { connectPages } from '../protocol/page-listener.ts';
import type { CopyStatus } from '../protocol/status.ts';
import { failure } from './failures.ts';
import type { Interruption } from './interruption.ts';

/** How often the source polls, in milliseconds: each side aborts when its peer is silent. */
const HEARTBEAT_MS = 1000;
/** How long the destination may take to answer the report of a failure, in milliseconds. */
const ABORT_MS = 2000;

type Request<Call extends StatusCall> = Parameters<
  typeof DestinationClient.prototype.call<Call>
>[1];

/** What a {@link DestinationLink} connects. */
export interface LinkOptions {
  readonly id: string;
  readonly to: { readonly host: string; readonly port: number };
  readonly client: DestinationClient;
  readonly credentials: Credentials | undefined;
  readonly interruption: Interruption;
  readonly stallMs: number;
}

/** The source's connection with the destination of one migration. */
export class DestinationLink {
  readonly #options: LinkOptions;
  /** True if the destination has accepted the offer, or may have. */
  #mayBeAccepted = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The client, for calls that an abort must not cancel. */
  get client(): DestinationClient {
    return this.#options.client;
  }

  /** Makes a call that an abort cancels. Without a limit, only the heartbeat ends the wait. */
  async call<Call extends StatusCall>(
    call: Call,
    request: Request<Call>,
    timeoutMs?: number,
  ): Promise<CopyStatus> {
    const { client, interruption } = this.#options;
    interruption.throwIfAborted();
    return await client.call(call, request, { timeoutMs, signal: interruption.signal });
  }

  async offer(request: OfferRequest, timeoutMs: number): Promise<OfferReply__Output> {
    const { client, interruption } = this.#options;
    interruption.throwIfAborted();
    this.#mayBeAccepted = true;
    try {
      const reply = await client.offer(request, { timeoutMs, signal: interruption.signal });
      this.#mayBeAccepted = reply.objections.length === 0;
      return reply;
    } catch (error) {
      // A destination that cannot be reached has accepted nothing.
      this.#mayBeAccepted = interruption.signal.aborted;
      throw error;
    }
  }

  /**
   * Opens a connection for pages, with a token from the reply to the offer.
   * @param inJavaScript true if JavaScript reads and writes the pages itself
   */
  async connectPages(port: number, token: Uint8Array, inJavaScript = false): Promise<Socket> {
    const { to, credentials, interruption } = this.#options;
    const endpoint = { host: to.host, port, inJavaScript };
    return await connectPages(endpoint, credentials, token, interruption.signal);
  }

  /**
   * Polls the destination, and aborts the migration when it has been silent for `stallMs`. While
   * all data waits in buffers, nothing else shows that the network is dead: criu would wait forever,
   * with the tree frozen.
   */
  startHeartbeat(): Disposable {
    const { id, client, interruption, stallMs } = this.#options;
    let heardAt = performance.now();
    const poll = async () => {
      try {
        await client.call('getStatus', { id }, { timeoutMs: stallMs });
        heardAt = performance.now();
      } catch (error) {
        if (performance.now() - heardAt < stallMs) return;
        interruption.abort(failure(`the destination has not answered for ${stallMs} ms`, error));
      }
    };
    const timer = setInterval(poll, HEARTBEAT_MS).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /**
   * Reports a failure, so that the destination aborts at once and not only after `holdMs`. Does nothing if
   * it has not accepted the offer.
   * @returns its status if it answers
   */
  async reportFailure(reason: string): Promise<CopyStatus | undefined> {
    if (!this.#mayBeAccepted) return undefined;
    const { id, client } = this.#options;
    client.call('abort', { id, reason }, { timeoutMs: ABORT_MS }).catch(() => {});
    // The abort is answered only once the destination has cleaned up; this answer comes sooner.
    return await client.call('getStatus', { id }, { timeoutMs: ABORT_MS }).catch(() => undefined);
  }
}
