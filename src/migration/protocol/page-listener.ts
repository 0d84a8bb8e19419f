import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { builtins } from '../../builtins.ts';
import { native } from '../../native/index.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { type Credentials, identityCheck } from './credentials.ts';
import { HANDSHAKE_MS, PendingConnections, peerAddress } from './pending-connections.ts';
import { RecordTransport } from './record-transport.ts';
import type { RenewedCredentials } from './renewed-credentials.ts';

/** The size of the one-time token that a page connection begins with, in bytes. */
export const TOKEN_SIZE = 32;
/** The destination's answer to a valid token. */
const WELCOME = Buffer.of(1);
const SOCKET = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 } as const;
const MUTUAL = { requestCert: true, rejectUnauthorized: true } as const;
const TLS = { minVersion: 'TLSv1.2', highWaterMark: MAX_BUFFERED_BYTES } as const;

/** Where to connect, and how. */
export interface PagesEndpoint {
  readonly host: string;
  readonly port: number;
  /** True if JavaScript reads and writes the pages itself, which is quicker without a {@link RecordTransport}. */
  readonly inJavaScript?: boolean;
}

/** Opens a page connection to a destination; resolves once the destination has accepted the token. */
export async function connectPages(
  endpoint: PagesEndpoint,
  credentials: Credentials | undefined,
  token: Uint8Array,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const { host, port } = endpoint;
  let socket = connect({ ...{ host, port }, ...SOCKET });
  // The caller may add its own listener late: an error until then shows as `errored` of the socket.
  socket.on('error', () => {});
  const onAbort = () => socket.destroy(new Error('the connection was aborted'));
  const timer = setTimeout(
    () => socket.destroy(new Error(`no answer within ${HANDSHAKE_MS} ms`)),
    HANDSHAKE_MS,
  );
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await once(socket, 'connect');
    if (credentials) {
      socket = startTls(socket, endpoint, credentials);
      await once(socket, 'secureConnect');
    }
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

function startTls(tcp: Socket, { host, inJavaScript }: PagesEndpoint, credentials: Credentials) {
  const canPump = !inJavaScript && native().hasOpenSsl;
  const transport = canPump ? new RecordTransport(tcp, 'client') : undefined;
  const socket = builtins.tls.connect({
    ...{ socket: transport ?? tcp, ...credentials, ...TLS },
    checkServerIdentity: identityCheck(host, credentials),
  });
  socket.on('error', () => {});
  socket.on('keylog', (line: Buffer) => transport?.addSecret(line));
  transport?.attach(socket);
  return socket;
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
    const server = createServer(SOCKET);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    // accept() may fail for want of descriptors; the listener goes on.
    server.on('error', () => {});
    const secure = credentials && builtins.tls.createServer({ ...credentials, ...MUTUAL, ...TLS });
    return new PageListener(server, secure, { pending, renewed });
  }

  private constructor(
    server: Server,
    secure: TlsServer | undefined,
    { pending, renewed }: Required<ListenerOptions>,
  ) {
    this.#server = server;
    this.#pending = pending;
    if (!secure) {
      server.on('connection', (peer: Socket) => {
        if (pending.add(peer)) void this.#accept(peer, peer);
      });
      return;
    }
    renewed?.onChange((files) => secure.setSecureContext(files));
    server.on('connection', (tcp: Socket) => {
      renewed?.refresh();
      if (!pending.add(tcp)) return;
      const { hasOpenSsl } = native();
      secure.emit('connection', hasOpenSsl ? new RecordTransport(tcp, 'server') : tcp);
    });
    secure.on('keylog', (line: Buffer) => RecordTransport.current?.addSecret(line));
    secure.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
    secure.on('secureConnection', (peer: Socket) => {
      const transport = RecordTransport.current;
      transport?.attach(peer);
      void this.#accept(peer, transport?.socket ?? peer);
    });
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

  /** @param tcp the socket below TLS */
  async #accept(peer: Socket, tcp: Socket): Promise<void> {
    peer.on('error', () => {});
    const address = peerAddress(tcp);
    const token = await readExactly(peer, TOKEN_SIZE).catch(() => undefined);
    const onConnection = token && this.#take(token);
    if (!onConnection) {
      peer.destroy();
      return;
    }
    this.#pending.release(address);
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
