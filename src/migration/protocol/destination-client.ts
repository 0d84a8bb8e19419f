import { isIP } from 'node:net';
import type {
  CallOptions,
  ClientUnaryCall,
  ClientWritableStream,
  ServiceError,
} from '@grpc/grpc-js';
import { builtins } from '../../builtins.ts';
import type { ImagePart } from '../../generated/types/node_criu/ImagePart.ts';
import type { MigrationStatus__Output } from '../../generated/types/node_criu/MigrationStatus.ts';
import type { MigrationsClient } from '../../generated/types/node_criu/Migrations.ts';
import type { OfferReply__Output } from '../../generated/types/node_criu/OfferReply.ts';
import type { OfferRequest } from '../../generated/types/node_criu/OfferRequest.ts';
import { formatEndpoint } from '../../netlink/ip-address.ts';
import { type Credentials, identityCheck } from './credentials.ts';
import { peerText } from './peer-text.ts';
import { channelOptions, loadService, PROTOCOL } from './service.ts';
import { type CopyStatus, fromWireStatus } from './status.ts';

/** The requests of the calls that return a status. */
interface Requests {
  readonly startRound: { readonly id: string; readonly index: number };
  readonly prepare: {
    readonly id: string;
    readonly index: number;
    readonly lazy: boolean;
    readonly lazyRestore?: boolean;
  };
  readonly commit: { readonly id: string };
  readonly awaitPages: { readonly id: string };
  readonly abort: { readonly id: string; readonly reason: string };
  readonly getStatus: { readonly id: string };
  readonly acknowledge: { readonly id: string };
}

/** The name of a call that returns a status. */
export type StatusCall = keyof Requests;

/** Limits of a call. */
export interface CallLimits {
  /** Rejects if no answer has come within this many milliseconds. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
}

/** The destination of a migration, as its source calls it. Calls reject with gRPC's error. */
export class DestinationClient implements Disposable {
  readonly #client: MigrationsClient;
  /** The version of the migration, once the destination has chosen it. */
  protocol = PROTOCOL;

  static async connect(
    endpoint: { readonly host: string; readonly port: number },
    credentials: Credentials | undefined,
    stallMs?: number,
  ): Promise<DestinationClient> {
    const { grpc, Migrations } = await loadService();
    const channel = credentials
      ? grpc.credentials.createFromSecureContext(builtins.tls.createSecureContext(credentials), {
          checkServerIdentity: identityCheck(endpoint.host, credentials),
        })
      : grpc.credentials.createInsecure();
    // TLS has no server names that are addresses: identityCheck compares the address.
    const name = isIP(endpoint.host) ? { 'grpc.ssl_target_name_override': 'destination' } : {};
    const client = new Migrations(formatEndpoint(endpoint), channel, {
      ...channelOptions(stallMs),
      ...name,
    });
    return new DestinationClient(client);
  }

  private constructor(client: MigrationsClient) {
    this.#client = client;
  }

  /** Offers a process tree. */
  async offer(request: OfferRequest, limits: CallLimits = {}): Promise<OfferReply__Output> {
    const reply = await this.#unary<OfferReply__Output>('offer', request, limits);
    if (reply.protocol > 0) this.protocol = reply.protocol;
    return reply;
  }

  /** Makes one of the calls that return the status of a migration. */
  async call<Call extends StatusCall>(
    call: Call,
    request: Requests[Call],
    limits: CallLimits = {},
  ): Promise<CopyStatus> {
    const versioned = { ...request, protocol: this.protocol };
    return fromWireStatus(await this.#unary<MigrationStatus__Output>(call, versioned, limits));
  }

  /** Opens the stream of images; `onEnd` gets the outcome, once. */
  putImages(onEnd: (error: ServiceError | null) => void): ClientWritableStream<ImagePart> {
    return this.#client.putImages((error) => onEnd(error && shownError(error)));
  }

  async #unary<Reply>(
    name: 'offer' | StatusCall,
    request: object,
    { timeoutMs, signal }: CallLimits,
  ): Promise<Reply> {
    const options: CallOptions =
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    signal?.throwIfAborted();
    return await new Promise<Reply>((resolve, reject) => {
      const method = this.#client[name] as (
        request: object,
        options: CallOptions,
        callback: (error: ServiceError | null, reply?: Reply) => void,
      ) => ClientUnaryCall;
      const call = method.call(this.#client, request, options, (error, reply) => {
        signal?.removeEventListener('abort', cancel);
        if (error) reject(shownError(error));
        else resolve(reply as Reply);
      });
      const cancel = () => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Makes the texts of an error, which the destination chooses, fit to be shown. */
function shownError(error: ServiceError): ServiceError {
  error.details = peerText(error.details);
  error.message = peerText(error.message);
  return error;
}
