import { readSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';

/** How many bytes a pipe is to hold, and how many are read at a time. */
const PIPE_SIZE = 1 << 20;

/** Reads an image that CRIU writes into a pipe. */
export class PipeReader implements Disposable {
  readonly #fd: number;
  readonly #watch: Watch;
  #isClosed = false;

  /**
   * @param fd the read end of the pipe, which the reader owns
   * @param onChunk called with each chunk, and with undefined at the end
   */
  constructor(fd: number, onChunk: (chunk: Buffer | undefined) => void) {
    this.#fd = fd;
    native().setPipeSize(fd, PIPE_SIZE);
    this.#watch = native().watch(fd, () => {
      const chunk = this.#read();
      if (chunk === null) return;
      if (chunk === undefined) this[Symbol.dispose]();
      onChunk(chunk);
    });
    this.#watch.unref();
  }

  /** Lets CRIU wait until {@link resume}. */
  pause(): void {
    if (!this.#isClosed) this.#watch.pause();
  }

  resume(): void {
    if (!this.#isClosed) this.#watch.resume();
  }

  /** Closes the pipe: CRIU fails if it writes on. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.close();
    native().close(this.#fd);
  }

  /** Undefined at the end of the file, null if nothing is there yet. */
  #read(): Buffer | undefined | null {
    const buffer = spare ?? Buffer.allocUnsafeSlow(PIPE_SIZE);
    spare = buffer;
    let size: number;
    try {
      size = readSync(this.#fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
      throw error;
    }
    if (size === 0) return undefined;
    // Most images are small.
    if (size < PIPE_SIZE / 2) return Buffer.from(buffer.subarray(0, size));
    spare = undefined;
    return buffer.subarray(0, size);
  }
}

/** The buffer of the next read, of any pipe. */
let spare: Buffer | undefined;
