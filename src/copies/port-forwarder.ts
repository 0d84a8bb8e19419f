import { createServer, type Server, type Socket } from 'node:net';
import { CriuError } from '../errors.ts';
import type { PublishedPort } from './copy-options.ts';
import { connectIn } from './network-connection.ts';

/** A port of the host that leads to a copy, with the address and the port that were taken. */
export type TakenPort = Required<Readonly<PublishedPort>>;

/** Forwards connections to ports of this host to a copy in another network. */
export class PortForwarder {
  /** In the order of the option `publish`. */
  readonly ports: readonly TakenPort[];
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();

  /** Takes the ports. @throws CriuError ERR_CRIU_ADDRESS_IN_USE, ERR_CRIU_SYSTEM */
  static async open(
    operation: string,
    wanted: readonly PublishedPort[],
    netns: number,
  ): Promise<PortForwarder> {
    const servers: Server[] = [];
    const ports: TakenPort[] = [];
    try {
      for (const one of wanted) {
        const server = createServer({ allowHalfOpen: true });
        servers.push(server);
        ports.push(await listen(operation, server, one));
      }
    } catch (error) {
      for (const server of servers) server.close();
      throw error;
    }
    return new PortForwarder(ports, servers, netns);
  }

  private constructor(ports: readonly TakenPort[], servers: readonly Server[], netns: number) {
    this.ports = ports;
    this.#servers = servers;
    for (const [index, server] of servers.entries()) {
      const to = ports[index]?.to ?? 0;
      server.on('connection', (client) => this.#accept(client, netns, to));
      server.unref();
    }
  }

  #accept(client: Socket, netns: number, to: number): void {
    try {
      this.#forward(client, connectIn(netns, '127.0.0.1', to));
    } catch {
      // Without a descriptor for the other side, the connection is refused.
      client.destroy();
    }
  }

  #forward(client: Socket, inner: Socket): void {
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // The connection ends with either side, and its error is the other's reset.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (socket.destroyed && !socket.readableEnded) other.destroy();
      });
      socket.pipe(other);
    }
  }

  /** Frees the ports and ends the connections. Idempotent. */
  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function listen(
  operation: string,
  server: Server,
  { host = '127.0.0.1', port = 0, to }: PublishedPort,
): Promise<TakenPort> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE';
      const message = `${operation}: cannot publish port ${port} of ${host}: ${cause.message}`;
      const code = isTaken ? 'ERR_CRIU_ADDRESS_IN_USE' : 'ERR_CRIU_SYSTEM';
      reject(new CriuError(code, message, { operation, cause }));
    });
    server.listen({ host, port }, resolve);
  });
  const address = server.address();
  return { host, port: typeof address === 'object' && address ? address.port : port, to };
}
