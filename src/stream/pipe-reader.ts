import { read, readSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';
import { enlargePipe } from './pipe-size.ts';

/** How many bytes are read at a time. */
const CHUNK = 1 << 20;
/** After a read of so many bytes, the next one is made on a thread of libuv, while the chunk is used. */
const LARGE = CHUNK / 4;

/** Reads an image that CRIU writes into a pipe. */
export class PipeReader implements Disposable {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #onChunk: (chunk: Buffer | undefined) => void;
  #isPaused = false;
  #isClosed = false;
  /** A thread of libuv is reading. */
  #isReading = false;

  /**
   * @param fd the read end of the pipe, which the reader owns
   * @param onChunk called with each chunk, and with undefined at the end
   */
  constructor(fd: number, onChunk: (chunk: Buffer | undefined) => void) {
    this.#fd = fd;
    this.#onChunk = onChunk;
    enlargePipe(fd);
    this.#watch = native().watch(fd, () => this.#readSmall());
    this.#watch.unref();
  }

  /** Lets CRIU wait until {@link resume}; one more chunk may come. */
  pause(): void {
    this.#isPaused = true;
    if (!this.#isClosed) this.#watch.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isClosed && !this.#isReading) this.#watch.resume();
  }

  /** Closes the pipe: CRIU fails if it writes on. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.close();
    if (!this.#isReading) native().close(this.#fd);
  }

  /** Reads at once what is there, which is all of most images. */
  #readSmall(): void {
    const buffer = spare ?? Buffer.allocUnsafeSlow(CHUNK);
    spare = buffer;
    let size: number;
    try {
      size = readSync(this.#fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
      throw error;
    }
    if (size >= LARGE) spare = undefined;
    this.#deliver(size < LARGE ? Buffer.from(buffer.subarray(0, size)) : buffer.subarray(0, size));
  }

  /** Copying much memory takes a while. The descriptor does not block, and so the thread does not wait. */
  #readLarge(): void {
    this.#isReading = true;
    this.#watch.pause();
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    read(this.#fd, buffer, 0, CHUNK, null, (error, size) => {
      this.#isReading = false;
      if (this.#isClosed) native().close(this.#fd);
      else if (!error) this.#deliver(buffer.subarray(0, size));
      else if (!this.#isPaused) this.#watch.resume();
    });
  }

  #deliver(chunk: Buffer): void {
    if (chunk.length === 0) this[Symbol.dispose]();
    else if (chunk.length >= LARGE && !this.#isPaused) this.#readLarge();
    else if (!this.#isPaused) this.#watch.resume();
    this.#onChunk(chunk.length === 0 ? undefined : chunk);
  }
}

/** The buffer of the next small read, of any pipe. */
let spare: Buffer | undefined;
