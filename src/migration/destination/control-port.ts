import { createServer, type Server as TcpServer } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ListenerOptions } from '../protocol/page-listener.ts';
import type { PendingConnections } from '../protocol/pending-connections.ts';

/** The port of the control connections. It passes them on to gRPC, which has no limits before TLS. */
export class ControlPort {
  readonly #server: TcpServer;
  readonly #pending: PendingConnections;

  static async listen(
    grpc: Server,
    credentials: ServerCredentials,
    { host, port }: { readonly host: string; readonly port: number },
    { pending, renewed }: Required<ListenerOptions>,
  ): Promise<ControlPort> {
    const injector = grpc.createConnectionInjector(credentials);
    const server = createServer((socket) => {
      if (!pending.add(socket)) return;
      renewed?.refresh();
      injector.injectConnection(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    // accept() may fail for want of descriptors; the server goes on.
    server.on('error', () => {});
    return new ControlPort(server, pending);
  }

  private constructor(server: TcpServer, pending: PendingConnections) {
    this.#server = server;
    this.#pending = pending;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Accepts no more connections, and ends those that are not authenticated. */
  close(): void {
    this.#server.close();
    this.#pending[Symbol.dispose]();
  }
}
