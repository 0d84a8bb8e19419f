import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { PipeReader } from './pipe-reader.ts';

/** How much of a file is held before its size is asked for, and of a file whose size is known. */
const WINDOW = 8 << 20;

/** What a captured file tells its {@link Capture}. */
export interface CapturedFileEvents {
  /** Its bytes are held, or, with a negative number, have been passed on. */
  held(bytes: number): void;
  /** It is too large to be held for no reason: how long is it at most? It waits for the answer. */
  needsSize(): Promise<number | undefined>;
  /** The answer: it is passed on while CRIU writes it, and has this size in the archive. */
  sized(size: number): void;
  /** CRIU has closed it; undefined if its size is known already, else its size. */
  ended(size: number | undefined): void;
}

/** An image that CRIU writes into a pipe: what of it has not been passed on yet. */
export class CapturedFile {
  readonly name: string;
  readonly #events: CapturedFileEvents;
  readonly #reader: PipeReader;
  #chunks: Buffer[] = [];
  #held = 0;
  #hasEnded = false;
  #isSized = false;
  #wasAsked = false;
  #more: Deferred<void> | undefined;

  /** @param fd the read end of the pipe, which this object owns */
  constructor(name: string, fd: number, events: CapturedFileEvents) {
    this.name = name;
    this.#events = events;
    this.#reader = new PipeReader(fd, (chunk) => this.#received(chunk));
  }

  /** Lets CRIU wait before it writes on, until {@link resume}. */
  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  /** Closes the pipe. Idempotent. */
  close(): void {
    this.#reader[Symbol.dispose]();
  }

  /** The content, as it arrives; CRIU waits while more than a window of it is held. */
  async *chunks(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#held -= chunk.length;
        this.#events.held(-chunk.length);
        yield chunk;
      } else if (this.#hasEnded) {
        return;
      } else {
        this.#more = deferred();
        this.#reader.resume();
        await this.#more.promise;
      }
    }
  }

  #received(chunk: Buffer | undefined): void {
    if (chunk) {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
      this.#events.held(chunk.length);
      if (this.#held > WINDOW) this.#windowIsFull();
    } else {
      this.#hasEnded = true;
      this.#events.ended(this.#isSized ? undefined : this.#held);
    }
    this.#more?.resolve();
  }

  #windowIsFull(): void {
    if (this.#isSized) {
      this.#reader.pause();
    } else if (!this.#wasAsked) {
      this.#wasAsked = true;
      this.#reader.pause();
      void this.#askForSize();
    }
  }

  async #askForSize(): Promise<void> {
    const size = await this.#events.needsSize().catch(() => undefined);
    if (size === undefined || size < this.#held) {
      this.#reader.resume();
      return;
    }
    this.#isSized = true;
    this.#events.sized(size);
  }
}
