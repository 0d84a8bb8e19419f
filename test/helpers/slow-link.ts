import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy to a lazy source or a page server that forwards a limited amount. Closed after the test. */
export interface SlowLink {
  readonly address: string;
  readonly port: number;
  /** Resolves when the proxy has reached its limit. */
  readonly full: Promise<unknown>;
  /** Closes all connections. */
  cut(): void;
  /** Removes the limit. */
  widen(): void;
}

/** Starts a proxy to a listening server with a limit in MiB for both directions together. */
export async function slowLink(
  server: { readonly address: string; readonly port: number },
  mib: number,
): Promise<SlowLink> {
  const sockets: Socket[] = [];
  let left = mib << 20;
  let fill: (value?: unknown) => void;
  const full = new Promise((resolve) => {
    fill = resolve;
  });
  const forward = (one: Socket, other: Socket) => {
    sockets.push(one);
    one.on('error', () => {});
    one.on('close', () => other.destroy());
    one.on('data', (chunk: Buffer) => {
      other.write(chunk);
      left -= chunk.length;
      if (left > 0) return;
      one.pause();
      fill();
    });
  };
  const proxy = createServer((client) => {
    const upstream = connect(server.port, server.address);
    forward(client, upstream);
    forward(upstream, client);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  const widen = () => {
    left = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resume();
  };
  onTestFinished(cut);
  const { address, port } = proxy.address() as AddressInfo;
  return { address, port, full, cut, widen };
}
