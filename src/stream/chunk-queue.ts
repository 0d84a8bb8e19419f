import { type Deferred, deferred } from '../concurrency/deferred.ts';

/**
 * Chunks on their way from one writer to one reader. The writer waits until the reader asks for more, so that no
 * more than one chunk is held.
 */
export class ChunkQueue implements AsyncIterable<Buffer> {
  #chunk: Buffer | undefined;
  #taken: Deferred<void> | undefined;
  #wanted: Deferred<void> | undefined;
  #isClosed = false;
  #failure: { readonly cause: unknown } | undefined;
  readonly #onAbandoned: () => void;

  /** @param onAbandoned called if the reader stops before the end */
  constructor(onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned;
  }

  /** Resolves once the reader has taken the chunk. @throws what `fail` was called with */
  async write(chunk: Buffer): Promise<void> {
    if (this.#failure) throw this.#failure.cause;
    if (chunk.length === 0) return;
    this.#chunk = chunk;
    this.#taken = deferred();
    this.#wanted?.resolve();
    await this.#taken.promise;
  }

  /** Ends the stream for the reader. */
  close(): void {
    this.#isClosed = true;
    this.#wanted?.resolve();
  }

  /** Makes the reader and the writer fail. Has no effect after the end. */
  fail(cause: unknown): void {
    if (this.#isClosed) return;
    this.#failure ??= { cause };
    this.#chunk = undefined;
    this.#wanted?.resolve();
    this.#taken?.reject(cause);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.cause;
        if (this.#chunk !== undefined) {
          const chunk = this.#chunk;
          this.#chunk = undefined;
          this.#taken?.resolve();
          yield chunk;
        } else if (this.#isClosed) {
          return;
        } else {
          this.#wanted = deferred();
          await this.#wanted.promise;
        }
      }
    } finally {
      if (!this.#isClosed && !this.#failure) this.#onAbandoned();
    }
  }
}
