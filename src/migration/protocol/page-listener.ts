import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { builtins } from '../../builtins.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { type Credentials, identityCheck } from './credentials.ts';
import { HANDSHAKE_MS, PendingConnections, peerAddress } from './pending-connections.ts';
import type { RenewedCredentials } from './renewed-credentials.ts';

/** The size of the one-time token that a page connection begins with, in bytes. */
export const TOKEN_SIZE = 32;
/** The destination's answer to a valid token. */
const WELCOME = Buffer.of(1);
const KEEP_ALIVE_MS = 5000;
const TLS = { minVersion: 'TLSv1.2', highWaterMark: MAX_BUFFERED_BYTES } as const;

/** Opens a page connection to a destination; resolves once the destination has accepted the token. */
export async function connectPages(
  { host, port }: { readonly host: string; readonly port: number },
  credentials: Credentials | undefined,
  token: Uint8Array,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = credentials
    ? builtins.tls.connect({
        ...{ host, port, ...credentials, ...TLS },
        checkServerIdentity: identityCheck(host, credentials),
      })
    : connect({ host, port });
  // The caller may add its own listener late: an error until then shows as `errored` of the socket.
  socket.on('error', () => {});
  const onAbort = () => socket.destroy(new Error('the connection was aborted'));
  const timer = setTimeout(
    () => socket.destroy(new Error(`no answer within ${HANDSHAKE_MS} ms`)),
    HANDSHAKE_MS,
  );
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await once(socket, credentials ? 'secureConnect' : 'connect');
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.write(token);
    await readExactly(socket, WELCOME.length);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** What the connections to a port of a server are subject to. */
export interface ListenerOptions {
  readonly pending?: PendingConnections;
  /** The material of both ports. Absent without TLS. */
  readonly renewed?: RenewedCredentials | undefined;
}

/** Listens for page connections. Each has to begin with a token that is expected. */
export class PageListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #expected = new Map<Buffer, (peer: Socket) => void>();
  readonly #pending: PendingConnections;

  static async listen(
    host: string,
    port: number,
    credentials: Credentials | undefined,
    { pending = new PendingConnections(), renewed }: ListenerOptions = {},
  ): Promise<PageListener> {
    const mutual = { requestCert: true, rejectUnauthorized: true };
    const server = credentials
      ? builtins.tls.createServer({ ...credentials, ...mutual, ...TLS })
      : createServer();
    renewed?.onChange((files) => (server as TlsServer).setSecureContext(files));
    // Before the listener that begins TLS.
    server.prependListener('connection', () => renewed?.refresh());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    // accept() may fail for want of descriptors; the listener goes on.
    server.on('error', () => {});
    return new PageListener(server, credentials ? 'secureConnection' : 'connection', pending);
  }

  private constructor(server: Server, event: string, pending: PendingConnections) {
    this.#server = server;
    this.#pending = pending;
    server.on('connection', (peer: Socket) => void pending.add(peer));
    server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
    server.on(event, (peer: Socket) => void this.#accept(peer));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /**
   * Accepts one connection that begins with this token, and calls `onConnection` with it.
   * @returns a function that withdraws the token
   */
  expect(token: Buffer, onConnection: (peer: Socket) => void): () => void {
    this.#expected.set(token, onConnection);
    return () => this.#expected.delete(token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pending[Symbol.dispose]();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #accept(peer: Socket): Promise<void> {
    peer.on('error', () => {});
    const address = peerAddress(peer);
    const token = await readExactly(peer, TOKEN_SIZE).catch(() => undefined);
    const onConnection = token && this.#take(token);
    if (!onConnection) {
      peer.destroy();
      return;
    }
    this.#pending.release(address);
    peer.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    try {
      onConnection(peer);
      peer.write(WELCOME);
    } catch {
      // The tunnel could not be made for want of descriptors.
      peer.destroy();
    }
  }

  /** A token is valid once. All tokens are compared, in constant time. */
  #take(token: Buffer): ((peer: Socket) => void) | undefined {
    const [match] = [...this.#expected.keys()].filter((expected) =>
      builtins.crypto.timingSafeEqual(expected, token),
    );
    if (!match) return undefined;
    const onConnection = this.#expected.get(match);
    this.#expected.delete(match);
    return onConnection;
  }
}

/** Reads exactly `size` bytes, however they are split; what follows stays in the stream. */
async function readExactly(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const buffered = Math.max(1, socket.readableLength);
    const chunk: Buffer | null = socket.read(Math.min(missing, buffered));
    if (chunk) {
      chunks.push(chunk);
      missing -= chunk.length;
    } else if (socket.destroyed || socket.readableEnded) {
      throw hungUp();
    } else {
      await untilReadable(socket);
    }
  }
  return Buffer.concat(chunks);
}

async function untilReadable(socket: Socket): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  const closed = once(socket, 'close', { signal }).then(() => {
    throw hungUp();
  });
  await Promise.race([once(socket, 'readable', { signal }), closed]).finally(() => done.abort());
}

function hungUp(): Error {
  return new Error('the peer has hung up');
}
