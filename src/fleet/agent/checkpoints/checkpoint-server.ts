import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsOptions } from '../../../index.ts';
import { RenewedCredentials } from '../../../migration/protocol/renewed-credentials.ts';
import { isLoopback } from '../../../options/reach.ts';
import { readTls } from '../../../options/tls.ts';
import { parseId } from '../../../store/store-directory.ts';
import { isName } from '../../names.ts';
import { CheckpointRefused, type ReceivedCheckpoints } from './received-checkpoints.ts';

/** Where the server listens, and whom it trusts. */
export interface CheckpointServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsOptions | undefined;
  readonly insecure: boolean | undefined;
}

const OPERATION = 'join';
const PATH = /^\/checkpoints\/([A-Za-z0-9._-]{1,160})$/;
/** The header with the name of the sender where there is no certificate that has it. */
export const SENDER = 'x-node-criu-host';
/** A connection without a byte for so long is ended, in milliseconds. */
const IDLE_MS = 30_000;
const HANDSHAKE_MS = 10_000;
/** All hosts of a fleet may send at the same time, but few to the same host. */
const MAX_CONNECTIONS = 64;
const MAX_MESSAGE = 500;
/** How long the answer to a refused checkpoint has to arrive, in milliseconds. */
const ANSWER_MS = 1000;

/** Takes the checkpoints of other hosts of the fleet, which show who they are by their certificates. */
export class CheckpointServer implements AsyncDisposable {
  readonly #server: Server;

  static async listen(
    { listen, tls, insecure }: CheckpointServerOptions,
    received: ReceivedCheckpoints,
  ): Promise<CheckpointServer> {
    const answer = (request: IncomingMessage, response: ServerResponse) =>
      void respond(request, response, received, tls === undefined);
    const server = tls
      ? await secureServer(tls, answer)
      : (createPlain(requirePlain(listen.host, insecure, answer)) as unknown as Server);
    // A checkpoint may take long, as long as bytes come.
    server.requestTimeout = 0;
    server.timeout = IDLE_MS;
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(listen.port, listen.host, resolve);
    });
    server.on('error', () => {});
    // A sender asks before it sends: a refusal costs nobody a transfer.
    server.on('checkContinue', answer);
    return new CheckpointServer(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Ends what is under way; it is sent again by the next schedule. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

function requirePlain(host: string, insecure: boolean | undefined, answer: Answer): Answer {
  // The server of migrations has refused this before with an error of its own.
  if (insecure && isLoopback(host)) return answer;
  throw new Error('checkpoints are received without TLS on loopback addresses only');
}

async function secureServer(tls: TlsOptions, answer: Answer): Promise<Server> {
  const files = await readTls(OPERATION, tls);
  const both = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
  const server = createSecure({ ...files, ...both, handshakeTimeout: HANDSHAKE_MS }, answer);
  const renewed = new RenewedCredentials(OPERATION, tls);
  renewed.onChange((changed) => server.setSecureContext({ ...changed, minVersion: 'TLSv1.2' }));
  server.on('connection', () => renewed.refresh());
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  received: ReceivedCheckpoints,
  isPlain: boolean,
): Promise<void> {
  try {
    const [, id = ''] = PATH.exec(request.url ?? '') ?? [];
    if (request.method !== 'PUT' || !parseId(id)) {
      throw new CheckpointRefused(404, 'there are only checkpoints to be put here');
    }
    const length = request.headers['content-length'];
    if (length === undefined) throw new CheckpointRefused(411, 'the length is missing');
    const host = senderOf(request, isPlain);
    await received.take({
      ...{ host, id, bytes: Number(length) },
      body: () => {
        if (request.headers.expect !== undefined) response.writeContinue();
        return bodyOf(request);
      },
    });
    response.writeHead(201).end();
  } catch (error) {
    const { status = 400, message } = error as Partial<CheckpointRefused> & Error;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, { 'content-type': 'text/plain' });
    response.end(message.slice(0, MAX_MESSAGE));
    // A connection that ends while bytes come is reset, which takes the answer with it.
    request.resume();
    setTimeout(() => request.destroy(), ANSWER_MS).unref();
  }
}

/** An error of the reader must leave the connection, on which the answer goes. */
function bodyOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/** The name of the host that sends: that of its certificate. */
function senderOf({ socket, headers }: IncomingMessage, isPlain: boolean): string {
  const name = isPlain
    ? headers[SENDER]
    : ((socket as TLSSocket).getPeerCertificate().subject?.CN as unknown);
  if (isName(name)) return name;
  throw new CheckpointRefused(403, 'the certificate has no name of a host');
}
