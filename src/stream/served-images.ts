import { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import type { CriuError } from '../errors.ts';
import { native } from '../native/index.ts';
import { enlargePipe } from './pipe-size.ts';
import type { SocketDirectory } from './socket-directory.ts';
import { StreamerSocket } from './streamer-socket.ts';

/** Serves images in memory to a criu that restores them, and frees each while CRIU reads it. */
export class ServedImages implements Disposable {
  readonly #files: Map<string, Buffer[]>;
  readonly #socket: StreamerSocket;
  readonly #pipes = new Set<Socket>();
  failure: CriuError | undefined;

  constructor(directory: SocketDirectory, files: Map<string, Buffer[]>) {
    this.#files = files;
    this.#socket = new StreamerSocket(directory.fd, {
      socket: 'streamer-serve.sock',
      connected: () => {},
      has: (name) => files.has(name),
      opened: (name, fd) => this.#serve(name, fd),
      ended: (failure) => {
        this.failure = failure;
      },
    });
  }

  /** Closes all pipes: CRIU fails if it reads on. Idempotent. */
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
    for (const pipe of this.#pipes) pipe.destroy();
    this.#files.clear();
  }

  #serve(name: string, fd: number): void {
    const chunks = this.#files.get(name) ?? [];
    // CRIU opens each image once.
    this.#files.delete(name);
    enlargePipe(fd);
    native().release(fd);
    const pipe = new Socket({ fd, readable: false, writable: true });
    this.#pipes.add(pipe);
    // CRIU may close an image before its end.
    pipeline(Readable.from(drained(chunks), { objectMode: false }), pipe, () => {
      this.#pipes.delete(pipe);
    });
  }
}

/** The chunks, of which nothing is kept. */
function* drained(chunks: Buffer[]): Generator<Buffer, void> {
  chunks.reverse();
  for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) yield chunk;
}
