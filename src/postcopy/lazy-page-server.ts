import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';
import { builtins } from '../builtins.ts';
import { CriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { readTls } from '../options/tls.ts';
import type { TlsOptions } from '../options/types.ts';
import type { PageLedger } from './page-ledger.ts';
import {
  Answers,
  COMMAND_SIZE,
  commandOf,
  failure,
  farewell,
  leave,
  oneByOne,
  Requests,
} from './page-protocol.ts';
import { limited } from './rate-limit.ts';

/** How long a peer may take for the TLS handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000;
/** A peer that is silent for that long is asked whether it is there, in milliseconds. */
const KEEP_ALIVE_MS = 5000;
/** How many may wait at the door; what they want is not known before they say it. */
const MAX_WAITING = 16;

/** How the one destination went: it took leave, or its connection broke off. */
export type Departure = 'left' | 'cut';

/**
 * The door of a lazy dump: listens in place of CRIU, which takes the first that connects for its
 * destination, and the end of that connection for the end of its work. This one waits for a peer
 * that asks for pages, lets nobody else in then, and tells how it went.
 */
export class LazyPageServer implements AsyncDisposable {
  /** Where it listens; empty and 0 if it has been given its one peer. */
  readonly address: string;
  readonly port: number;
  /** Resolves when the destination has gone by itself; never without one. */
  readonly departed: Promise<Departure>;
  #depart!: (how: Departure) => void;
  readonly #server: Server | undefined;
  readonly #criu: Socket;
  readonly #waiting = new Set<Socket>();
  /** Those whose TLS handshake is not over. */
  readonly #strangers = new Set<Socket>();
  #ledger: PageLedger | undefined;
  #rateLimit: number | undefined;
  #peer: Socket | undefined;
  /** Resolves when it listens no more, and nobody is connected. */
  #closed: Promise<void> | undefined;
  #left = false;
  /** criu has ended first. */
  #deserted = false;

  /**
   * Listens; whoever comes waits until {@link open}.
   * @param near gives the near end of the connection to criu, which is the gate's then: asked once it
   * listens, so that nothing has become of that end if it cannot
   */
  static async listen(
    operation: string,
    near: () => number,
    at: { readonly address: string; readonly port: number },
    tls: TlsOptions | undefined,
  ): Promise<LazyPageServer> {
    const server = await serverWith(operation, tls);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(at.port, at.address, resolve);
    }).catch((cause: NodeJS.ErrnoException) => {
      const message = `${operation}: cannot listen at ${at.address}:${at.port}: ${cause.message}`;
      const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
      throw new CriuError('ERR_CRIU_SYSTEM', message, { operation, errno, cause });
    });
    // Who could not be let in, for want of descriptors say, may come again.
    server.on('error', () => {});
    try {
      return new LazyPageServer(socketOf(near()), server, at.address);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /**
   * Takes a connection for the destination's, and listens to nobody else.
   * @param rateLimit bytes that may go out in a second
   */
  static over(socket: number, peer: Socket, rateLimit?: number): LazyPageServer {
    const gate = new LazyPageServer(socketOf(socket));
    gate.#rateLimit = rateLimit;
    gate.#receive(peer);
    return gate;
  }

  private constructor(criu: Socket, server?: Server, address = '') {
    this.#server = server;
    this.#criu = criu;
    this.address = address;
    this.port = (server?.address() as AddressInfo | undefined)?.port ?? 0;
    this.departed = new Promise((resolve) => {
      this.#depart = resolve;
    });
    // Its end is criu's, which is noticed where criu is waited for.
    criu.on('error', () => {});
    criu.once('end', () => {
      this.#deserted = true;
    });
    server?.on('tlsClientError', (_error, stranger: Socket) => stranger.destroy());
    const arrival = isTls(server) ? 'secureConnection' : 'connection';
    server?.on(arrival, (peer: Socket) => this.#receive(peer));
    if (!isTls(server)) return;
    server.on('connection', (stranger: Socket) => this.#expect(stranger));
    server.on('secureConnection', (peer: Socket) => {
      for (const stranger of this.#strangers) {
        if (placeOf(stranger) === placeOf(peer)) this.#strangers.delete(stranger);
      }
    });
  }

  /** Whether pages have gone to a destination. */
  get taken(): boolean {
    return this.#peer !== undefined;
  }

  /** Begins to serve, now that criu can; resolves without waiting for anybody. */
  open(ledger: PageLedger): void {
    this.#ledger = ledger;
    for (const peer of this.#waiting) this.#listenTo(peer);
  }

  /** Tells criu that all is done: the processes end. */
  finish(): void {
    this.#say(leave());
  }

  /** Tells criu to give up: it rolls back. Who has not come by now is late. */
  giveUp(): void {
    this.#shut();
    this.#say(failure());
  }

  /** Ends all connections, criu's too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shut();
    for (const end of [this.#peer, this.#criu]) end?.destroy();
    await this.#closed;
  }

  /** Lets nobody in any more, and shows out who waits. */
  #shut(): void {
    const server = this.#server;
    this.#closed ??= server
      ? new Promise((resolve) => server.close(() => resolve()))
      : Promise.resolve();
    for (const other of [...this.#waiting, ...this.#strangers]) {
      if (other !== this.#peer) other.destroy();
    }
  }

  #expect(stranger: Socket): void {
    if (this.#closed) stranger.destroy();
    this.#strangers.add(stranger);
    stranger.once('close', () => this.#strangers.delete(stranger));
  }

  #receive(peer: Socket): void {
    peer.on('error', () => {});
    // Of a host that has gone nothing else would tell while no pages are under way.
    peer.setKeepAlive(true, KEEP_ALIVE_MS);
    if (this.#closed || this.#waiting.size >= MAX_WAITING) {
      peer.destroy();
      return;
    }
    this.#waiting.add(peer);
    peer.once('close', () => this.#waiting.delete(peer));
    if (this.#ledger) this.#listenTo(peer);
  }

  /** Takes a peer for the destination once it says what only a destination would. */
  #listenTo(peer: Socket): void {
    const listen = () => {
      const head: Buffer | null = peer.read(COMMAND_SIZE);
      if (!head) return;
      peer.off('readable', listen);
      const command = head.length === COMMAND_SIZE ? commandOf(head) : 'unknown';
      const isOurs = command === 'get' || (command === 'leave' && this.#ledger?.missing === 0);
      if (!isOurs || this.#closed) peer.destroy();
      else this.#serve(peer, head);
    };
    peer.on('readable', listen);
    listen();
  }

  #serve(peer: Socket, head: Buffer): void {
    this.#peer = peer;
    // Nobody else has anything to look for here.
    this.#shut();
    const answers = new Answers((pid, start, count) => this.#ledger?.sent(pid, start, count));
    const outlet = this.#outletTo(peer);
    const requests = new Requests((command) => {
      if (command !== 'leave') peer.destroy();
      else this.#takeLeave(answers, outlet);
    });
    peer.once('close', () => {
      if (!this.#left && !this.#deserted) this.#depart('cut');
    });
    peer.unshift(head);
    peer.pipe(requests).pipe(this.#criu, { end: false });
    this.#criu.pipe(answers).pipe(outlet);
  }

  #outletTo(peer: Socket): Writable {
    const outlet = isTls(this.#server) ? oneByOne(peer) : peer;
    if (this.#rateLimit === undefined) return outlet;
    const limiter = limited(this.#rateLimit);
    limiter.pipe(outlet);
    return limiter;
  }

  /** The destination has no more requests. */
  #takeLeave(answers: Answers, outlet: Writable): void {
    this.#left = true;
    this.#criu.unpipe();
    this.#criu.resume();
    answers.unpipe();
    // It waits for that, and may have failed all the same: criu is not told yet.
    outlet.end(farewell());
    this.#depart('left');
  }

  #say(message: Buffer): void {
    // What criu is about to say has no reader any more, and must not keep it from listening.
    this.#criu.unpipe();
    this.#criu.resume();
    this.#criu.write(message);
  }
}

/** Takes a descriptor over. */
function socketOf(fd: number): Socket {
  native().release(fd);
  return new Socket({ fd, readable: true, writable: true });
}

/** Where a socket leads to: the same for a TLS connection and the one below it. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function isTls(server: Server | undefined): server is TlsServer {
  return server instanceof builtins.tls.Server;
}

async function serverWith(operation: string, tls: TlsOptions | undefined): Promise<Server> {
  if (!tls) return createServer({ noDelay: true });
  const credentials = await readTls(operation, tls);
  const mutual = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS };
  try {
    return builtins.tls.createServer({ ...credentials, ...mutual, noDelay: true });
  } catch (error) {
    const takes = `certificates that belong together (${(error as Error).message})`;
    throw invalid(operation, 'tls', takes, Object.keys(tls));
  }
}
