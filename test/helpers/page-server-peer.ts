import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { native } from '../../src/native/index.ts';
import type { TlsOptions } from '../../src/options/types.ts';
import { type Departure, LazyPageServer } from '../../src/postcopy/lazy-page-server.ts';
import { PageLedger } from '../../src/postcopy/page-ledger.ts';
import { MAX_BUFFERED_BYTES } from '../../src/postcopy/page-protocol.ts';
import { waitFor } from './workload.ts';

/** One side of a connection, which records what it receives. */
export class Talker {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Resolves when the other side has ended the connection, or it has failed. */
  readonly ended: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    // Node 26 may leave a TLS socket open that has something to write, if its peer ends during the handshake.
    this.ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    onTestFinished(() => void socket.destroy());
  }

  /** Everything received so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** Resolves with everything received, once that is at least so many bytes. */
  async receives(length: number): Promise<Buffer> {
    await waitFor(() => this.received.length >= length, `${length} bytes are received`);
    return this.received;
  }
}

/** A page server whose criu is the test. Process 1 has so many lazy pages, from address 0 on. */
export async function startPageServer({
  pages = 4,
  tls,
}: {
  pages?: number;
  tls?: TlsOptions | undefined;
} = {}) {
  const [localFd, criuFd] = native().streamPair(MAX_BUFFERED_BYTES);
  native().release(criuFd);
  const criu = new Talker(new Socket({ fd: criuFd, readable: true, writable: true }));
  const anyPort = { address: '127.0.0.1', port: 0 };
  const server = await LazyPageServer.listen('lazyDump', () => localFd, anyPort, tls);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { address = '', port = 0 } = server.endpoint ?? {};
  const ledger = new PageLedger(new Map([[1, [{ start: 0, end: pages * native().pageSize }]]]));
  let departure: Departure | undefined;
  server.departed.then((how) => {
    departure = how;
  });
  return {
    server,
    address,
    port,
    criu,
    ledger,
    departure: () => departure,
    /** Connects a peer; rejects if nothing listens. */
    async connectPeer(): Promise<Talker> {
      const socket = connect(port, address);
      const peer = new Talker(socket);
      await once(socket, 'connect');
      return peer;
    },
    /** Connects a peer with certificates. Both sides see how the handshake ends. */
    connectTlsPeer(options: ConnectionOptions): Talker {
      return new Talker(connectTls({ ...options, port, host: address }));
    },
  };
}
