/** Writes encoded values one after the other. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  constructor(size = 256) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  /** What has been written; shares its memory with the writer. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** @param value an integer; a negative one becomes 64 bits in two's complement */
  varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === 'number' && value >= 0) this.#number(value);
    else this.#bigint(BigInt.asUintN(64, BigInt(value)));
  }

  fixed64(value: number | bigint): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeBigUInt64LE(BigInt(value), this.#at);
  }

  /** Writes bytes after their length. */
  delimited(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Writes what `write` writes after its length. */
  nested(write: () => void): void {
    // Most lengths take one byte; the others move what has been written.
    this.#reserve(1);
    const start = ++this.#at;
    write();
    const length = this.#at - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    this.#reserve(9);
    const lengthSize = length < 0x4000 ? 2 : length < 0x200000 ? 3 : length < 0x10000000 ? 4 : 5;
    this.#bytes.copyWithin(start - 1 + lengthSize, start, this.#at);
    this.#at = start - 1;
    this.#number(length);
    this.#at += length;
  }

  #number(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    for (; rest > 0x7f; rest >>>= 7) bytes[this.#at++] = (rest & 0x7f) | 0x80;
    bytes[this.#at++] = rest;
  }

  #bigint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(rest);
  }

  #reserve(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
