/**
 * A descriptor that criu gets by number. close() takes effect only after the last user is done:
 * otherwise the number could already belong to another descriptor when criu inherits it.
 */
export class LeasedFd {
  readonly #fd: number;
  readonly #close: () => void;
  #users = 0;
  /** Set by close(): what a later use() throws. */
  #closeReason: (() => Error) | undefined;

  /** @param close closes the descriptor; called once */
  constructor(fd: number, close: () => void) {
    this.#fd = fd;
    this.#close = close;
  }

  /** Keeps the descriptor open while `user` runs. @throws Error if it is closed already */
  async use<T>(user: (fd: number) => Promise<T>): Promise<T> {
    if (this.#closeReason) throw this.#closeReason();
    this.#users++;
    try {
      return await user(this.#fd);
    } finally {
      this.#users--;
      this.#closeUnused();
    }
  }

  /** Closes the descriptor now, or when its last user is done. Call it once. */
  close(reason: () => Error): void {
    this.#closeReason = reason;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#closeReason && this.#users === 0) this.#close();
  }
}
