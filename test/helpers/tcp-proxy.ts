import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A network between two addresses of this machine that can be cut, and stand still. */
export class TcpProxy {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #broken: 'cut' | 'stalled' | undefined;

  /** Forwards the same ports from one address to another. Ended after the test. */
  static async start(from: string, to: string, ports: readonly number[]): Promise<TcpProxy> {
    const proxy = new TcpProxy();
    onTestFinished(() => proxy.close());
    for (const port of ports) {
      const server = createServer((near) => proxy.#forward(near, connect({ host: to, port })));
      proxy.#servers.push(server);
      server.listen(port, from);
      await once(server, 'listening');
    }
    return proxy;
  }

  get ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Breaks off all connections, and refuses more. */
  cut(): void {
    this.#broken = 'cut';
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Nothing gets through any more. */
  stall(): void {
    this.#broken = 'stalled';
    for (const socket of this.#sockets) socket.pause();
  }

  /** What comes from now on gets through; what was cut stays so. */
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

  #forward(near: Socket, far: Socket): void {
    const pair: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ];
    for (const [one, other] of pair) {
      this.#sockets.add(one);
      one
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      // Not a pipe, which would go on by itself after a pause.
      one.on('data', (data) => {
        if (other.write(data) || this.#broken) return;
        one.pause();
        other.once('drain', () => this.#broken ?? one.resume());
      });
      one.on('end', () => other.end());
      if (this.#broken === 'stalled') one.pause();
    }
    if (this.#broken === 'cut') near.resetAndDestroy();
  }
}
