import { type Deferred, deferred } from '../concurrency/deferred.ts';
import { PipeReader } from './pipe-reader.ts';

/** How much of a file is held before it is passed on with the size that it is given. */
const WINDOW = 8 << 20;
/** How much is held before its size is asked for: the answer takes a while. */
const ASKED = 1 << 18;

/** What a captured file tells its {@link Capture}. */
export interface CapturedFileEvents {
  /** Its bytes are held, or, with a negative number, have been passed on. */
  held(bytes: number): void;
  /** How long is it at most, if it is too large to be held? */
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
  #isAsking = false;
  /** The most bytes that it has, if that is known. */
  #limit: number | undefined;
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
        if (this.#held < WINDOW / 2) this.#reader.resume();
        yield chunk;
      } else if (this.#hasEnded) {
        return;
      } else {
        this.#more = deferred();
        await this.#more.promise;
      }
    }
  }

  #received(chunk: Buffer | undefined): void {
    if (chunk) {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
      this.#events.held(chunk.length);
      if (this.#held > ASKED && !this.#wasAsked) void this.#ask();
      if (this.#held > WINDOW) this.#windowIsFull();
    } else {
      this.#hasEnded = true;
      this.#events.ended(this.#isSized ? undefined : this.#held);
    }
    this.#more?.resolve();
  }

  #windowIsFull(): void {
    if (this.#isSized || this.#isAsking) {
      this.#reader.pause();
    } else if (this.#limit !== undefined && this.#limit >= this.#held) {
      this.#isSized = true;
      this.#events.sized(this.#limit);
    }
  }

  async #ask(): Promise<void> {
    this.#wasAsked = true;
    this.#isAsking = true;
    this.#limit = await this.#events.needsSize().catch(() => undefined);
    this.#isAsking = false;
    if (this.#hasEnded) return;
    if (this.#held > WINDOW) this.#windowIsFull();
    if (!this.#isSized || this.#held <= WINDOW) this.#reader.resume();
  }
}
