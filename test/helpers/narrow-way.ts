import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A way to a lazy source on which memory does not pass at once. Ended after the test. */
export interface NarrowWay {
  readonly address: string;
  readonly port: number;
  /** Resolves when no more passes. */
  readonly full: Promise<unknown>;
  /** Breaks the connection off. */
  cut(): void;
  /** Lets all pass from now on. */
  widen(): void;
}

/** A way between a destination and a source, on which so many MiB pass. */
export async function narrowWay(
  source: { readonly address: string; readonly port: number },
  mib: number,
): Promise<NarrowWay> {
  const sockets: Socket[] = [];
  let left = mib << 20;
  let widen = () => {
    left = Number.POSITIVE_INFINITY;
  };
  let fill: (value?: unknown) => void;
  const full = new Promise((resolve) => {
    fill = resolve;
  });
  const server = createServer((near) => {
    const far = connect(source.port, source.address);
    sockets.push(near, far);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => [near, far].map((end) => end.destroy()));
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      near.write(chunk);
      left -= chunk.length;
      if (left > 0) return;
      far.pause();
      fill();
      widen = () => {
        left = Number.POSITIVE_INFINITY;
        far.resume();
      };
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(cut);
  const { address, port } = server.address() as AddressInfo;
  return { address, port, full, cut, widen: () => widen() };
}
