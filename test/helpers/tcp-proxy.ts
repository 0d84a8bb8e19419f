import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy between two addresses of this host, whose connections can be cut or stalled. */
export class TcpProxy {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #broken: 'cut' | 'stalled' | undefined;

  /** Forwards ports from one address to the same ports of another. Closed after the test. */
  static async start(from: string, to: string, ports: readonly number[]): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    onTestFinished(() => proxy.close());
    for (const port of ports) {
      const server = createServer((client) => proxy.#forward(client, connect({ host: to, port })));
      proxy.#servers.push(server);
      server.listen(port, from);
      await once(server, 'listening');
    }
    return proxy;
  }

  get ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Resets all connections, and further ones. */
  cut(): void {
    this.#broken = 'cut';
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Forwards nothing until {@link heal}. */
  stall(): void {
    this.#broken = 'stalled';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Forwards again; connections that were cut stay closed. */
  heal(): void {
    const was = this.#broken;
    this.#broken = undefined;
    if (was === 'stalled') for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  #forward(client: Socket, upstream: Socket): void {
    const pair: [Socket, Socket][] = [
      [client, upstream],
      [upstream, client],
    ];
    for (const [one, other] of pair) {
      this.#sockets.add(one);
      one
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      // Not a pipe: it would resume by itself after a pause.
      one.on('data', (data) => {
        if (other.write(data) || this.#broken) return;
        one.pause();
        other.once('drain', () => this.#broken ?? one.resume());
      });
      one.on('end', () => other.end());
      if (this.#broken === 'stalled') one.pause();
    }
    if (this.#broken === 'cut') client.resetAndDestroy();
  }
}
