import type { Plain } from './decode.ts';
import { escapedBytes } from './escaped-bytes.ts';
import {
  DELIMITED,
  type EnumType,
  type Field,
  type FieldType,
  isMessage,
  type MessageType,
  type Scalar,
  UNKNOWN_FIELDS,
  wireTypeOf,
} from './message-type.ts';
import { Writer } from './writer.ts';

/** More elements than fit into a packet. A sparse array can claim to have 4000 times as many. */
const MAX_ELEMENTS = 1_000_000;
const LONE_SURROGATE = /\p{Surrogate}/u;

type Path = readonly string[];
type IntegerType = Exclude<Scalar, 'bool' | 'bytes' | 'string'>;
type Values = Readonly<Record<string | symbol, unknown>>;

/**
 * Encodes a message. Fields that are undefined, and empty lists, are absent.
 * @param what names the message in errors
 * @throws TypeError with the name of the first field that is unknown, missing or invalid
 */
export function encode<T>(
  type: MessageType<T>,
  message: T extends object ? Plain<T> : T,
  what = 'the request',
): Uint8Array {
  return new Encoder(what, false).encode(type, message);
}

/** Encodes what decodeExactly() has decoded. @throws TypeError as {@link encode} does */
export function encodeExactly<T>(type: MessageType<T>, message: T, what: string): Uint8Array {
  return new Encoder(what, true).encode(type, message);
}

class Encoder {
  readonly #writer = new Writer();
  readonly #what: string;
  readonly #exact: boolean;

  constructor(what: string, exact: boolean) {
    this.#what = what;
    this.#exact = exact;
  }

  encode(type: MessageType, message: unknown): Buffer {
    this.#message(type, message, []);
    return this.#writer.bytes;
  }

  #message(type: MessageType, message: unknown, path: Path): void {
    if (!isPlainObject(message)) throw this.#refusal(path, 'is not an object');
    const { names, fields } = layoutOf(type);
    for (const key in message) {
      if (!names.has(key)) throw this.#refusal([...path, key], 'is unknown');
    }
    for (const { number, field, isRequired } of fields) {
      const value = message[field.name];
      if (value !== undefined) this.#field(number, field, value, path);
      else if (isRequired) throw this.#refusal([...path, field.name], 'is missing');
    }
    const unknown = message[UNKNOWN_FIELDS];
    if (this.#exact && unknown instanceof Uint8Array) this.#writer.raw(unknown);
  }

  #field(number: number, field: Field, value: unknown, path: Path): void {
    const { name, type, repeated, packed } = field;
    const tag = number * 8 + wireTypeOf(type);
    if (!repeated) {
      this.#writer.varint(tag);
      this.#value(type, value, path, name);
      return;
    }
    if (!Array.isArray(value)) throw this.#refusal([...path, name], 'is not an array');
    // The elements are encoded synchronously, which blocks the event loop.
    if (!this.#exact && value.length > MAX_ELEMENTS) {
      throw this.#refusal([...path, name], 'is too long');
    }
    const elements = (withTags: boolean) => {
      const within = [...path, name];
      for (let index = 0; index < value.length; index++) {
        if (withTags) this.#writer.varint(tag);
        this.#value(type, value[index], within, String(index));
      }
    };
    if (!packed) elements(true);
    else if (value.length > 0) {
      this.#writer.varint(number * 8 + DELIMITED);
      this.#writer.nested(() => elements(false));
    }
  }

  #value(type: FieldType, value: unknown, path: Path, name: string): void {
    if (typeof type === 'object' && isMessage(type)) {
      this.#writer.nested(() => this.#message(type, value, [...path, name]));
      return;
    }
    const isValid = typeof type === 'string' ? this.#scalar(type, value) : this.#enum(type, value);
    if (!isValid) {
      const expected = typeof type === 'string' ? type : type.name;
      throw this.#refusal([...path, name], `is not a valid ${expected}`);
    }
  }

  /** Returns false if the value is not of the type. */
  #scalar(type: Scalar, value: unknown): boolean {
    const writer = this.#writer;
    switch (type) {
      case 'bool':
        if (typeof value !== 'boolean') return false;
        writer.varint(Number(value));
        return true;
      case 'bytes':
        if (!(value instanceof Uint8Array)) return false;
        writer.delimited(value);
        return true;
      case 'string':
        return typeof value === 'string' && this.#text(value);
      default:
        return (this.#exact || typeof value === 'number') && this.#integer(type, value);
    }
  }

  #integer(type: IntegerType, value: unknown): boolean {
    if (!isInteger(type, value)) return false;
    if (type === 'fixed64') this.#writer.fixed64(value);
    else if (type === 'sint32' || type === 'sint64') this.#writer.varint(zigzag(BigInt(value)));
    else this.#writer.varint(value);
    return true;
  }

  #text(value: string): boolean {
    const bytes = this.#exact
      ? escapedBytes(value)
      : LONE_SURROGATE.test(value)
        ? undefined
        : Buffer.from(value);
    if (bytes) this.#writer.delimited(bytes);
    return bytes !== undefined;
  }

  #enum({ numbers }: EnumType, value: unknown): boolean {
    if (typeof value === 'string' && Object.hasOwn(numbers, value)) {
      this.#writer.varint(numbers[value] as number);
      return true;
    }
    if (!this.#exact || !isInteger('int32', value)) return false;
    this.#writer.varint(value);
    return true;
  }

  #refusal(path: Path, why: string): TypeError {
    const what = path.length === 0 ? this.#what : `the field ${path.join('.')} of ${this.#what}`;
    return new TypeError(`${what} ${why}`);
  }
}

interface Layout {
  readonly names: ReadonlySet<string>;
  readonly fields: readonly { number: number; field: Field; isRequired: boolean }[];
}

const layouts = new WeakMap<MessageType, Layout>();

/** The fields of a message in the order of their numbers. */
function layoutOf(type: MessageType): Layout {
  const known = layouts.get(type);
  if (known) return known;
  const fields = Object.entries(type.fields).map(([number, field]) => {
    return { number: Number(number), field, isRequired: type.required.includes(field.name) };
  });
  const layout = { fields, names: new Set(fields.map(({ field }) => field.name)) };
  layouts.set(type, layout);
  return layout;
}

/** Tells an object from a Map, whose entries are no properties. */
function isPlainObject(value: unknown): value is Values {
  return Object.prototype.toString.call(value) === '[object Object]';
}

const signedRange = (bits: bigint): [bigint, bigint] => [
  -(1n << (bits - 1n)),
  (1n << (bits - 1n)) - 1n,
];
const unsignedRange = (bits: bigint): [bigint, bigint] => [0n, (1n << bits) - 1n];
const ranges = {
  int32: signedRange(32n),
  sint32: signedRange(32n),
  int64: signedRange(64n),
  sint64: signedRange(64n),
  uint32: unsignedRange(32n),
  uint64: unsignedRange(64n),
  fixed64: unsignedRange(64n),
} as const;

function isInteger(type: IntegerType, value: unknown): value is number | bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false;
  const [min, max] = ranges[type];
  return (value as number | bigint) >= min && (value as number | bigint) <= max;
}

function zigzag(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value;
}
