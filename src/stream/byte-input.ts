/** A stream that is damaged, as a clause, with the place where that was noticed. */
export class BadStream extends Error {
  readonly offset: number;
  constructor(what: string, offset: number) {
    super(what);
    this.offset = offset;
  }
}

/** Takes bytes from chunks of any size. */
export class ByteInput {
  readonly #iterator: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  /** How many bytes were taken. */
  offset = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** Takes exactly this many bytes. @throws BadStream at the end */
  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0; ) {
      const part = await this.upTo(left);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  /** Takes at least one byte, and at most this many. @throws BadStream at the end */
  async upTo(size: number): Promise<Buffer> {
    const chunk = await this.#next();
    if (!chunk) throw new BadStream('it ends early', this.offset);
    this.#chunk = chunk.subarray(size);
    const part = chunk.subarray(0, size);
    this.offset += part.length;
    // A small piece would keep a large chunk in memory.
    return part.length < chunk.buffer.byteLength / 2 ? Buffer.from(part) : part;
  }

  /** Takes what is there; undefined at the end. */
  async some(): Promise<Buffer | undefined> {
    const chunk = await this.#next();
    this.#chunk = Buffer.alloc(0);
    this.offset += chunk?.length ?? 0;
    return chunk;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) return undefined;
      this.#chunk = value;
    }
    return this.#chunk;
  }
}
