import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { builtins } from '../builtins.ts';
import { CriuError } from '../errors.ts';
import { ownerOfPeer } from '../netlink/connection-owner.ts';
import { formatEndpoint, unmapped } from '../netlink/ip-address.ts';
import { isLoopback } from '../options/reach.ts';
import { readTls } from '../options/tls.ts';
import type { TlsOptions } from '../options/types.ts';
import type { Endpoint } from './lazy-dump-options.ts';

/** How long a peer may take for the TLS handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000;

/**
 * Listens for the destination of a lazy dump, with mutual TLS if `tls` is given. Without TLS, a connection from
 * this host has to come from a process of this user or of root: every user can reach a loopback address.
 */
export class DestinationListener {
  readonly endpoint: Endpoint;
  /** Called with each connection whose peer is authenticated. Set it as soon as the listener exists. */
  onPeer: (peer: Socket) => void = (peer) => peer.destroy();
  readonly #server: Server;
  /** Connections whose TLS handshake is not complete. */
  readonly #handshaking = new Set<Socket>();
  #closed: Promise<void> | undefined;

  /** @throws CriuError ERR_CRIU_SYSTEM if it cannot listen there */
  static async listen(
    operation: string,
    { address, port }: Endpoint,
    tls: TlsOptions | undefined,
  ): Promise<DestinationListener> {
    const server = await createPageServer(operation, tls);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, address, resolve);
    }).catch((cause: NodeJS.ErrnoException) => {
      const message = `${operation}: cannot listen at ${formatEndpoint({ host: address, port })}: ${cause.message}`;
      const errno = cause.errno === undefined ? undefined : Math.abs(cause.errno);
      throw new CriuError('ERR_CRIU_SYSTEM', message, { operation, errno, cause });
    });
    return new DestinationListener(server, address);
  }

  private constructor(server: Server, address: string) {
    this.#server = server;
    this.endpoint = { address, port: (server.address() as AddressInfo).port };
    // A peer that cannot be accepted, for lack of descriptors for example, may try again.
    server.on('error', () => {});
    server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
    if (isTls(server)) {
      server.on('connection', (socket: Socket) => this.#onHandshake(socket));
      server.on('secureConnection', (peer: Socket) => {
        for (const socket of this.#handshaking) {
          if (peerKey(socket) === peerKey(peer)) this.#handshaking.delete(socket);
        }
        this.onPeer(peer);
      });
    } else {
      server.on('connection', (peer: Socket) => void this.#identify(peer));
    }
  }

  /** True if the connections use TLS. */
  get isTls(): boolean {
    return isTls(this.#server);
  }

  /** Accepts no further peers; resolves when all connections have ended. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#handshaking) socket.destroy();
    await this.#closed;
  }

  /** Passes a connection on, unless it is one of another user of this host. */
  async #identify(peer: Socket): Promise<void> {
    peer.on('error', () => {});
    if (await isOfThisUser(peer)) this.onPeer(peer);
    else peer.destroy();
  }

  #onHandshake(socket: Socket): void {
    if (this.#closed) socket.destroy();
    this.#handshaking.add(socket);
    socket.once('close', () => this.#handshaking.delete(socket));
  }
}

/** True for a connection from another host, of which the user is not known, and from this user or root. */
async function isOfThisUser(peer: Socket): Promise<boolean> {
  const { remoteAddress } = peer;
  if (remoteAddress !== undefined && !isLoopback(unmapped(remoteAddress))) return true;
  const uid = await ownerOfPeer(peer).catch(() => undefined);
  return uid === 0 || (uid !== undefined && uid === process.geteuid?.());
}

/** Identifies a connection: the same for a TLS socket and the socket below it. */
function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function isTls(server: Server): server is TlsServer {
  return server instanceof builtins.tls.Server;
}

async function createPageServer(operation: string, tls: TlsOptions | undefined): Promise<Server> {
  if (!tls) return createServer({ noDelay: true });
  const credentials = await readTls(operation, tls);
  return builtins.tls.createServer({
    ...credentials,
    ...{ requestCert: true, rejectUnauthorized: true },
    ...{ handshakeTimeout: HANDSHAKE_MS, noDelay: true },
  });
}
