import { DELIMITED, FIXED_32, FIXED_64, GROUP_END, GROUP_START, VARINT } from './message-type.ts';

const MAX_VARINT_LENGTH = 10;
const MAX_TAG = 0xffffffff;
/** The deepest level of groups within groups that is skipped. */
const MAX_DEPTH = 100;

/** Reads encoded values one after the other. All methods throw an Error if the bytes are no such value. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  /** The lower 28 bits of the last varint, and the others. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  tag(): { number: number; wireType: number } {
    const tag = this.uint64();
    if (tag < 8 || tag > MAX_TAG) throw new Error(`invalid tag ${tag}`);
    return { number: tag >>> 3, wireType: tag & 7 };
  }

  bool(): boolean {
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int32(): number {
    this.#varint();
    return this.#low | (this.#high << 28);
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** The nearest number, if there is none with this value. */
  uint64(): number {
    this.#varint();
    return this.#low + (this.#high % 2 ** 36) * 2 ** 28;
  }

  /** Invalid UTF-8 becomes U+FFFD, because the paths in messages may be any bytes. */
  string(): string {
    return this.bytes().toString();
  }

  /** Shares its memory with the bytes that are read. */
  bytes(): Buffer {
    const start = this.#advance(this.uint64());
    return this.#bytes.subarray(start, this.#at);
  }

  /** Skips the value of a field, whose tag has been read. */
  skip(number: number, wireType: number, depth = 0): void {
    if (wireType === VARINT) this.#varint();
    else if (wireType === FIXED_64) this.#advance(8);
    else if (wireType === DELIMITED) this.bytes();
    else if (wireType === GROUP_START) this.#skipGroup(number, depth);
    else if (wireType === FIXED_32) this.#advance(4);
    else throw new Error(`invalid wire type ${wireType}`);
  }

  #skipGroup(number: number, depth: number): void {
    if (depth === MAX_DEPTH) throw new Error('max depth exceeded');
    for (;;) {
      const inner = this.tag();
      if (inner.wireType === GROUP_END && inner.number === number) return;
      // Refuses the end of another group.
      this.skip(inner.number, inner.wireType, depth + 1);
    }
  }

  #varint(): void {
    this.#low = 0;
    this.#high = 0;
    for (let index = 0; index < MAX_VARINT_LENGTH; index++) {
      const byte = this.#bytes[this.#advance(1)] as number;
      if (index < 4) this.#low |= (byte & 0x7f) << (7 * index);
      else this.#high += (byte & 0x7f) * 2 ** (7 * (index - 4));
      if (byte < 0x80) return;
    }
    throw new Error('invalid varint');
  }

  /** Returns where the bytes begin that are advanced over. */
  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) {
      throw new RangeError(`out of range: ${start} + ${length} > ${this.#bytes.length}`);
    }
    this.#at += length;
    return start;
  }
}
