import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A way to a source or a server of pages on which memory does not pass at once. Ended after the test. */
export interface SlowLink {
  readonly address: string;
  readonly port: number;
  /** Resolves when no more passes. */
  readonly full: Promise<unknown>;
  /** Breaks the connection off. */
  cut(): void;
  /** Lets all pass from now on. */
  widen(): void;
}

/** A way to where somebody listens, on which so many MiB pass, in one direction or both. */
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
  const way = createServer((near) => {
    const far = connect(server.port, server.address);
    forward(near, far);
    forward(far, near);
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  const cut = () => {
    way.close();
    for (const socket of sockets) socket.destroy();
  };
  const widen = () => {
    left = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resume();
  };
  onTestFinished(cut);
  const { address, port } = way.address() as AddressInfo;
  return { address, port, full, cut, widen };
}
