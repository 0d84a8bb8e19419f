import { once } from 'node:events';
import { connect, createServer, type Server, Socket } from 'node:net';
import { builtins } from '../../builtins.ts';
import { native } from '../../native/index.ts';
import { PAGES_AHEAD } from '../../postcopy/page-protocol.ts';
import { limited } from '../../postcopy/rate-limit.ts';
import type { Credentials } from './credentials.ts';
import { LeasedFd } from './leased-fd.ts';

/** The size of the one-time token that a connection begins with, in bytes. */
export const TOKEN_SIZE = 32;
/** What the destination answers to it. */
const WELCOME = Buffer.of(1);
/** How long a peer may take until it has said its token, in milliseconds. */
const ARRIVAL_MS = 10_000;
const WATCH_MS = 500;
const TLS = { minVersion: 'TLSv1.2', highWaterMark: PAGES_AHEAD } as const;
/** How long criu may take to read what has come for it before the end, in milliseconds. */
const LAST_WORDS_MS = 1000;

/** What a tunnel is told. */
export interface TunnelOptions {
  /** Bytes that may go out in a second. Default: no limit. */
  readonly rateLimit?: number | undefined;
  /** How long nothing may move while there is something to send, in milliseconds. */
  readonly stallMs: number;
  /** What goes out are requests, each of which is answered. */
  readonly areRequests?: boolean;
}

/** Memory pages between a criu of this host, by descriptor, and one of another, by TLS. */
export class PageTunnel implements Disposable {
  /** Resolves when it has ended, with the reason if that was no orderly end. */
  readonly closed: Promise<Error | undefined>;
  /** The end for criu. */
  readonly far: LeasedFd;
  /** The other end, of which criu may get a copy, too. */
  readonly near: LeasedFd;
  readonly #own: Socket;
  readonly #peer: Socket;
  readonly #watch: NodeJS.Timeout;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(peer: Socket, { rateLimit, stallMs, areRequests }: TunnelOptions) {
    const [near, far] = native().streamPair(PAGES_AHEAD);
    // From now on it is the socket's.
    native().release(near);
    this.far = new LeasedFd(far, () => native().close(far));
    this.near = new LeasedFd(near, () => this.#closeOwn());
    const end = { fd: near, readable: true, writable: true, highWaterMark: PAGES_AHEAD };
    this.#own = new Socket(end);
    this.#peer = peer;
    for (const end of [this.#own, peer]) {
      end.on('error', (error) => {
        this.#failure ??= error;
      });
    }
    this.closed = Promise.race(
      [this.#own, peer].map((end) => new Promise((resolve) => end.once('close', resolve))),
    ).then(() => {
      this[Symbol.dispose]();
      return this.#failure;
    });
    const out = rateLimit === undefined ? this.#own : this.#own.pipe(limited(rateLimit));
    out.pipe(peer);
    peer.on('data', () => this.#gather());
    peer.pipe(this.#own);
    this.#watch = areRequests ? this.#watchAnswers(stallMs) : this.#watchFor(stallMs);
  }

  /** Why it has ended before it was closed, if it has. */
  get failure(): Error | undefined {
    return this.#isClosed ? (this.#failure ?? new Error('the peer has hung up')) : undefined;
  }

  /** How much has gone out so far, in bytes. */
  get sent(): number {
    return this.#peer.bytesWritten;
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#peer.destroy();
    // A criu may hold this end, too, and sees the end of the connection only if it is said.
    this.#own.end();
    const failure = () => this.failure ?? new Error('it is closed');
    this.near.close(failure);
    this.far.close(failure);
  }

  #closeOwn(): void {
    this.#own.destroySoon();
    // One that reads no more does not see it.
    setTimeout(() => this.#own.destroy(), LAST_WORDS_MS).unref();
  }

  /** What TLS brings in records of 16 KiB goes to criu in one system call for all that is there. */
  #gather(): void {
    if (this.#own.writableCorked > 0) return;
    this.#own.cork();
    setImmediate(() => this.#own.uncork());
  }

  /** Ends it when something was asked, and no answer comes. */
  #watchAnswers(stallMs: number): NodeJS.Timeout {
    let last = { received: -1, sent: 0, at: 0 };
    const watch = setInterval(() => {
      const { bytesRead: received, bytesWritten: sent } = this.#peer;
      if (received !== last.received) last = { received, sent, at: Date.now() };
      else if (sent === last.sent) last.at = Date.now();
      else if (Date.now() - last.at > stallMs) {
        this.#peer.destroy(new Error(`no answer has come for ${stallMs} ms`));
      }
    }, WATCH_MS);
    return watch.unref();
  }

  /** Ends it when there is something to send and nothing moves. */
  #watchFor(stallMs: number): NodeJS.Timeout {
    let moved = { bytes: -1, at: Date.now() };
    const watch = setInterval(() => {
      const peer = this.#peer;
      const bytes = peer.bytesWritten - peer.writableLength;
      if (peer.writableLength === 0 || bytes !== moved.bytes) moved = { bytes, at: Date.now() };
      else if (Date.now() - moved.at > stallMs) {
        peer.destroy(new Error(`nothing has moved for ${stallMs} ms`));
      }
    }, WATCH_MS);
    return watch.unref();
  }
}

/** Connects to the pages of a destination, and resolves once that has taken the token. */
export async function connectPages(
  { host, port }: { readonly host: string; readonly port: number },
  credentials: Credentials | undefined,
  token: Uint8Array,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = credentials
    ? builtins.tls.connect({ host, port, ...credentials, ...TLS })
    : connect({ host, port });
  // Whoever gets it may look at it later: an error then is told by its close.
  socket.on('error', () => {});
  const give = () => socket.destroy(new Error('it was aborted'));
  const late = setTimeout(
    () => socket.destroy(new Error(`no answer within ${ARRIVAL_MS} ms`)),
    ARRIVAL_MS,
  );
  signal.addEventListener('abort', give, { once: true });
  try {
    await once(socket, credentials ? 'secureConnect' : 'connect');
    socket.setNoDelay(true).setKeepAlive(true, 5000);
    socket.write(token);
    await receive(socket, WELCOME.length);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', give);
  }
}

/** Listens for connections with pages; each has to begin with a token that is expected. */
export class PageDoor implements AsyncDisposable {
  readonly #server: Server;
  readonly #expected = new Map<Buffer, (peer: Socket) => void>();
  readonly #arriving = new Set<Socket>();

  static async listen(
    host: string,
    port: number,
    credentials: Credentials | undefined,
  ): Promise<PageDoor> {
    const mutual = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: ARRIVAL_MS };
    const server = credentials
      ? builtins.tls.createServer({ ...credentials, ...mutual, ...TLS })
      : createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    // That there is no descriptor for one that comes is no reason to end.
    server.on('error', () => {});
    return new PageDoor(server, credentials ? 'secureConnection' : 'connection');
  }

  private constructor(server: Server, arrival: string) {
    this.#server = server;
    server.on('tlsClientError', (_error, stranger: Socket) => stranger.destroy());
    server.on(arrival, (peer: Socket) => void this.#receive(peer));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Expects one connection with this token; calls `arrived` with it. Returns how to expect it no more. */
  expect(token: Buffer, arrived: (peer: Socket) => void): () => void {
    this.#expected.set(token, arrived);
    return () => this.#expected.delete(token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#arriving) peer.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(peer: Socket): Promise<void> {
    peer.on('error', () => {});
    this.#arriving.add(peer);
    const late = setTimeout(() => peer.destroy(), ARRIVAL_MS);
    const token = await receive(peer, TOKEN_SIZE).catch(() => undefined);
    clearTimeout(late);
    this.#arriving.delete(peer);
    const [own] = [...this.#expected.keys()].filter(
      (one) => token && builtins.crypto.timingSafeEqual(one, token),
    );
    const arrived = own && this.#expected.get(own);
    if (!own || !arrived) {
      peer.destroy();
      return;
    }
    this.#expected.delete(own);
    peer.setNoDelay(true).setKeepAlive(true, 5000);
    try {
      arrived(peer);
      peer.write(WELCOME);
    } catch {
      // There was no descriptor for it.
      peer.destroy();
    }
  }
}

/** The next so many bytes, in however many pieces; what comes after them stays in the stream. */
async function receive(socket: Socket, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const there = Math.max(1, socket.readableLength);
    const bytes: Buffer | null = socket.read(Math.min(missing, there));
    if (bytes) {
      pieces.push(bytes);
      missing -= bytes.length;
    } else if (socket.destroyed || socket.readableEnded) {
      throw hungUp();
    } else {
      await moreOf(socket);
    }
  }
  return Buffer.concat(pieces);
}

async function moreOf(socket: Socket): Promise<void> {
  const heard = new AbortController();
  const { signal } = heard;
  const closed = once(socket, 'close', { signal }).then(() => {
    throw hungUp();
  });
  await Promise.race([once(socket, 'readable', { signal }), closed]).finally(() => heard.abort());
}

function hungUp(): Error {
  return new Error('the peer has hung up');
}
