import { DELIMITED, FIXED_32, FIXED_64, GROUP_END, GROUP_START, VARINT } from './message-type.ts';

const MAX_VARINT_LENGTH = 10;
const MAX_TAG = 0xffffffff;
/** The deepest level of groups within groups that is skipped. */
const MAX_DEPTH = 100;

/** Reads encoded values one after the other. All methods throw an Error if the bytes are no such value. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;
  /** The lower 28 bits of the last varint, and the others. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  /** The number of bytes that have been read. */
  get position(): number {
    return this.#at;
  }

  /** The bytes that have been read since a position. */
  since(position: number): Buffer {
    return this.#bytes.subarray(position, this.#at);
  }

  /** Begins a value that has its length before it. Returns what {@link leave} needs after its last part. */
  enter(): number {
    const outerEnd = this.#end;
    const start = this.#advance(this.uint64());
    this.#end = this.#at;
    this.#at = start;
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.#end = outerEnd;
  }

  /** The number of a field and its wire type, in the lower three bits. */
  tag(): number {
    this.#varint();
    const tag = this.#low + this.#high * 2 ** 28;
    if (tag < 8 || tag > MAX_TAG) throw new Error(`invalid tag ${tag}`);
    return tag;
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

  sint32(): number {
    const value = this.int32();
    return (value >>> 1) ^ -(value & 1);
  }

  /** The nearest number, if there is none with this value. */
  uint64(): number {
    this.#varint();
    return this.#low + (this.#high % 2 ** 36) * 2 ** 28;
  }

  int64(): number {
    return Number(this.bigInt64());
  }

  sint64(): number {
    return Number(this.bigSint64());
  }

  fixed64(): number {
    return Number(this.bigFixed64());
  }

  bigUint64(): bigint {
    const value = this.uint64();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    return BigInt.asUintN(64, BigInt(this.#low) + (BigInt(this.#high) << 28n));
  }

  bigInt64(): bigint {
    return BigInt.asIntN(64, this.bigUint64());
  }

  bigSint64(): bigint {
    const value = this.bigUint64();
    return (value >> 1n) ^ -(value & 1n);
  }

  bigFixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#advance(8));
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
  skip(tag: number, depth = 0): void {
    const wireType = tag & 7;
    if (wireType === VARINT) this.#varint();
    else if (wireType === FIXED_64) this.#advance(8);
    else if (wireType === DELIMITED) this.#advance(this.uint64());
    else if (wireType === GROUP_START) this.#skipGroup(tag >>> 3, depth);
    else if (wireType === FIXED_32) this.#advance(4);
    else throw new Error(`invalid wire type ${wireType}`);
  }

  #skipGroup(number: number, depth: number): void {
    if (depth === MAX_DEPTH) throw new Error('max depth exceeded');
    for (;;) {
      const inner = this.tag();
      if ((inner & 7) === GROUP_END && inner >>> 3 === number) return;
      // Refuses the end of another group.
      this.skip(inner, depth + 1);
    }
  }

  #varint(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    const limit = Math.min(this.#end, at + MAX_VARINT_LENGTH);
    let low = 0;
    let high = 0;
    for (let shift = 0; at < limit; shift += 7) {
      const byte = bytes[at++] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high += (byte & 0x7f) * 2 ** (shift - 28);
      if (byte < 0x80) {
        this.#at = at;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    if (at - this.#at === MAX_VARINT_LENGTH) throw new Error('invalid varint');
    throw outOfRange(at, 1, this.#end);
  }

  /** Returns where the bytes begin that are advanced over. */
  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#end) throw outOfRange(start, length, this.#end);
    this.#at += length;
    return start;
  }
}

function outOfRange(start: number, length: number, end: number): RangeError {
  return new RangeError(`out of range: ${start} + ${length} > ${end}`);
}
