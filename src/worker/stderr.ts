import { readSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';

/** How much is kept, in bytes: the end of what came. */
const KEPT = 65536;

/** What a child writes to its standard error, read as it comes and bounded. */
export class Stderr {
  readonly #fd: number;
  readonly #watch: Watch;
  #chunks: Buffer[] = [];
  #size = 0;
  #closed = false;

  /** Takes the read end of a pipe, which does not block, and owns it. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#watch = native().watch(fd, () => this.#drain());
    this.#watch.unref();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(-KEPT).toString().trimEnd();
  }

  /** Takes what is there by now. Others may still hold the other end: that is not waited for. */
  close(): void {
    if (this.#closed) return;
    this.#drain();
    this.#end();
  }

  #drain(): void {
    const buffer = Buffer.allocUnsafe(KEPT);
    try {
      while (!this.#closed) {
        const length = readSync(this.#fd, buffer);
        if (length === 0) this.#end();
        else this.#keep(Buffer.from(buffer.subarray(0, length)));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#end();
    }
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= 2 * KEPT) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(-KEPT)];
    this.#size = KEPT;
  }

  #end(): void {
    // By then its number may be another descriptor's.
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    native().close(this.#fd);
  }
}
