/**
 * An end of a tunnel, for criu by its number. It is closed only when nobody uses it any more: the
 * number could be another descriptor's by then.
 */
export class LeasedFd {
  readonly #fd: number;
  readonly #close: () => void;
  #users = 0;
  /** Why it is closed, or will be, once it is. */
  #failure: (() => Error) | undefined;

  constructor(fd: number, close: () => void) {
    this.#fd = fd;
    this.#close = close;
  }

  /** Uses its number until that is over. @throws Error if it is closed already */
  async lend<T>(use: (fd: number) => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure();
    this.#users++;
    try {
      return await use(this.#fd);
    } finally {
      this.#users--;
      this.#closeUnused();
    }
  }

  /** Closes it, or leaves that to the last one who uses it. Is called once. */
  close(failure: () => Error): void {
    this.#failure = failure;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#failure && this.#users === 0) this.#close();
  }
}
