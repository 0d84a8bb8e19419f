import { readSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';

/** How many bytes of the end of the output are kept. */
const KEPT = 65536;

/** What all of them read into. */
let buffer: Buffer | undefined;

/** Collects the standard error of a child process: reads it as it arrives and keeps its end. */
export class Stderr {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #onOutput: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #closed = false;

  /**
   * Takes ownership of the non-blocking read end of a pipe.
   * @param onOutput called after output has arrived
   */
  constructor(fd: number, onOutput?: () => void) {
    this.#fd = fd;
    this.#onOutput = onOutput;
    this.#watch = native().watch(fd, () => this.#drain());
    this.#watch.unref();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(-KEPT).toString().trimEnd();
  }

  /** Forgets what has been written so far. */
  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }

  /** Reads what is available and closes the pipe, even if other processes still hold the write end. */
  close(): void {
    if (this.#closed) return;
    this.#drain();
    this.#end();
  }

  #drain(): void {
    buffer ??= Buffer.allocUnsafeSlow(KEPT);
    try {
      while (!this.#closed) {
        const length = readSync(this.#fd, buffer);
        if (length === 0) this.#end();
        else this.#keep(Buffer.from(buffer.subarray(0, length)));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#end();
    }
    this.#onOutput?.();
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= 2 * KEPT) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(-KEPT)];
    this.#size = KEPT;
  }

  #end(): void {
    // Once closed, the number may belong to another descriptor.
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    native().close(this.#fd);
  }
}
