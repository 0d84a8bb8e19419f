import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { native } from '../../src/native/index.ts';
import type { TlsOptions } from '../../src/options/types.ts';
import { LazyPageServer } from '../../src/postcopy/lazy-page-server.ts';
import { PageLedger } from '../../src/postcopy/page-ledger.ts';
import { PAGES_AHEAD } from '../../src/postcopy/page-protocol.ts';
import { waitFor } from './workload.ts';

/** One side of a connection, and all that it has heard. */
export class Talker {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Resolves when the connection has ended, however that came about. */
  readonly ended: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.ended = new Promise((resolve) => socket.once('close', resolve));
    onTestFinished(() => void socket.destroy());
  }

  get heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  say(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** Resolves when it has heard so much. */
  async hears(length: number): Promise<Buffer> {
    await waitFor(() => this.heard.length >= length, `${length} bytes come`);
    return this.heard;
  }
}

/** A gate whose criu is the test, and which has so many pages of process 1, from address 0 on. */
export async function door({
  pages = 4,
  tls,
}: {
  pages?: number;
  tls?: TlsOptions | undefined;
} = {}) {
  const [near, far] = native().streamPair(PAGES_AHEAD);
  native().release(far);
  const criu = new Talker(new Socket({ fd: far, readable: true, writable: true }));
  const at = { address: '127.0.0.1', port: 0 };
  const gate = await LazyPageServer.listen('lazyDump', () => near, at, tls);
  onTestFinished(() => gate[Symbol.asyncDispose]());
  const ledger = new PageLedger(new Map([[1, [{ start: 0, end: pages * native().pageSize }]]]));
  let departure: 'left' | 'cut' | undefined;
  gate.departed.then((how) => {
    departure = how;
  });
  return {
    gate,
    criu,
    ledger,
    departure: () => departure,
    /** Somebody at the door; rejects if it does not even listen. */
    async knock(): Promise<Talker> {
      const socket = connect(gate.port, gate.address);
      const talker = new Talker(socket);
      await once(socket, 'connect');
      return talker;
    },
    /** Somebody with certificates; what comes of the handshake both sides see. */
    knockWith(options: ConnectionOptions): Talker {
      return new Talker(connectTls({ ...options, port: gate.port, host: gate.address }));
    },
  };
}
