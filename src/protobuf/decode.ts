import { escapedText } from './escaped-bytes.ts';
import {
  DELIMITED,
  type EnumType,
  type Field,
  isMessage,
  type MessageType,
  type Scalar,
  UNKNOWN_FIELDS,
  wireTypeOf,
} from './message-type.ts';
import { Reader } from './reader.ts';

/** The deepest level of messages within messages. */
const MAX_DEPTH = 100;
/** The most elements that all lists of a message have: an element of two bytes may take a hundred in memory. */
const MAX_ELEMENTS = 4_000_000;

type Values = Record<string | symbol, unknown>;

/** A message whose 64-bit fields are numbers, and whose enums are names. */
export type Plain<T> = T extends bigint
  ? number
  : T extends Uint8Array
    ? Buffer
    : T extends (infer Element)[]
      ? Plain<Element>[]
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

/**
 * Decodes a message: 64-bit fields as numbers, enums as names; absent fields and empty lists are
 * undefined. Unknown fields and unknown numbers of enums are skipped.
 * @throws Error if the bytes are no such message
 */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array): Plain<T> {
  return new Decoder(bytes, false).message(type) as Plain<T>;
}

/**
 * Decodes a message so that encoding it gives the same bytes, if they are in the order of the fields:
 * 64-bit fields as bigint, unknown enums as numbers, text that is not UTF-8 with escaped bytes, and unknown
 * fields in {@link UNKNOWN_FIELDS}.
 * @throws Error if the bytes are no such message
 */
export function decodeExactly<T>(type: MessageType<T>, bytes: Uint8Array): T {
  return new Decoder(bytes, true).message(type) as T;
}

class Decoder {
  readonly #reader: Reader;
  readonly #exact: boolean;
  #depth = 0;
  #elements = 0;

  constructor(bytes: Uint8Array, exact: boolean) {
    this.#reader = new Reader(bytes);
    this.#exact = exact;
  }

  /** @param begun the message so far, because a sender may send it in several pieces */
  message(type: MessageType, begun?: Values): Values {
    const reader = this.#reader;
    const values = begun ?? {};
    if (this.#depth++ === MAX_DEPTH) throw new Error('max depth exceeded');
    while (!reader.atEnd) {
      const start = reader.position;
      const tag = reader.tag();
      const field = type.fields[tag >>> 3];
      const wireType = tag & 7;
      if (field && wireType === wireTypeOf(field.type)) this.#field(values, field);
      else if (field?.repeated && wireType === DELIMITED) this.#packed(values, field);
      else {
        reader.skip(tag);
        if (this.#exact) appendUnknown(values, reader.since(start));
      }
    }
    this.#depth--;
    const { required } = type;
    for (let index = 0; index < required.length; index++) {
      if (values[required[index] as string] === undefined) {
        throw new Error(`missing required '${required[index]}'`);
      }
    }
    return values;
  }

  #field(values: Values, { name, type, repeated }: Field): void {
    if (repeated) {
      this.#append(values, name, this.#value(type, undefined));
    } else {
      const value = this.#value(type, values[name] as Values | undefined);
      if (value !== undefined) values[name] = value;
    }
  }

  /** Decodes a list of numbers in one piece. */
  #packed(values: Values, { name, type }: Field): void {
    const outerEnd = this.#reader.enter();
    while (!this.#reader.atEnd) this.#append(values, name, this.#value(type, undefined));
    this.#reader.leave(outerEnd);
  }

  #append(values: Values, name: string, value: unknown): void {
    if (this.#elements++ === MAX_ELEMENTS) throw new Error('too many elements');
    const list = values[name] as unknown[] | undefined;
    if (list) list.push(value);
    else values[name] = [value];
  }

  #value(type: Field['type'], begun: Values | undefined): unknown {
    if (typeof type === 'string')
      return this.#exact ? this.#exactScalar(type) : this.#reader[type]();
    if (!isMessage(type)) return this.#enum(type);
    const outerEnd = this.#reader.enter();
    const value = this.message(type, begun);
    this.#reader.leave(outerEnd);
    return value;
  }

  #exactScalar(type: Scalar): unknown {
    const reader = this.#reader;
    switch (type) {
      case 'uint64':
        return reader.bigUint64();
      case 'int64':
        return reader.bigInt64();
      case 'sint64':
        return reader.bigSint64();
      case 'fixed64':
        return reader.bigFixed64();
      case 'string':
        return escapedText(reader.bytes());
      case 'bytes':
        // The bytes that are read may be a small part of a large buffer.
        return Buffer.from(reader.bytes());
      default:
        return reader[type]();
    }
  }

  #enum({ numbers }: EnumType): string | number | undefined {
    const number = this.#reader.int32();
    for (const name in numbers) if (numbers[name] === number) return name;
    return this.#exact ? number : undefined;
  }
}

function appendUnknown(values: Values, bytes: Buffer): void {
  const before = values[UNKNOWN_FIELDS] as Buffer | undefined;
  values[UNKNOWN_FIELDS] = Buffer.concat(before ? [before, bytes] : [bytes]);
}
