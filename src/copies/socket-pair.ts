import { fstatSync } from 'node:fs';
import { externalUnix } from '../launch/outside-descriptors.ts';
import { native } from '../native/index.ts';

/** Bytes that a connection holds. */
const BUFFER = 1 << 20;

/** A connection between this process and a template or a copy. */
export class SocketPair implements Disposable {
  /** The end of this process, unless it was taken. */
  #here: number | undefined;
  /** The end for the other process, until it has it. */
  #there: number | undefined;

  /** @param netns the network namespace of the other process, in which CRIU looks for its sockets; -1 for ours */
  constructor(netns: number) {
    [this.#here, this.#there] = native().streamPair(BUFFER, netns);
  }

  get here(): number {
    return this.#here ?? -1;
  }

  get there(): number {
    return this.#there ?? -1;
  }

  /** CRIU's name of the other end in the option inheritFd. */
  get name(): string {
    return `socket:[${this.#inode}]`;
  }

  /** CRIU's name of the other end in the option external. */
  get external(): string {
    return externalUnix(this.#inode);
  }

  get #inode(): number {
    return fstatSync(this.there).ino;
  }

  /** The end of this process, for an object that closes it. */
  take(): number {
    const fd = this.here;
    native().release(fd);
    this.#here = undefined;
    return fd;
  }

  /** Closes the other end here, once the other process has it. Idempotent. */
  closeThere(): void {
    if (this.#there !== undefined) native().close(this.#there);
    this.#there = undefined;
  }

  /** Closes what is open. Idempotent. */
  [Symbol.dispose](): void {
    this.closeThere();
    if (this.#here !== undefined) native().close(this.#here);
    this.#here = undefined;
  }
}
