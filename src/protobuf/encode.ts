import {
  DELIMITED,
  type EnumType,
  type Field,
  type FieldType,
  isDelimited,
  isMessage,
  type MessageType,
  type Scalar,
  VARINT,
} from './message-type.ts';

/** More elements than fit into a packet. A sparse array can claim to have 4000 times as many. */
const MAX_ELEMENTS = 1_000_000;
const LONE_SURROGATE = /\p{Surrogate}/u;

type Path = readonly string[];

/**
 * Encodes a request. Fields that are undefined, and empty lists, are absent.
 * @throws TypeError with the name of the first field that is unknown, missing or invalid
 */
export function encode<T>(type: MessageType<T>, request: T): Uint8Array {
  return encodeMessage(type, request, []);
}

function encodeMessage(type: MessageType, message: unknown, path: Path): Buffer {
  if (!isPlainObject(message)) throw refusal(path, 'is not an object');
  const fields = Object.entries(type.fields);
  const names = fields.map(([, { name }]) => name);
  const unknown = Object.keys(message).find((key) => !names.includes(key));
  if (unknown !== undefined) throw refusal([...path, unknown], 'is unknown');
  const pieces: Buffer[] = [];
  for (const [number, field] of fields) {
    const value = message[field.name];
    const at = [...path, field.name];
    if (value !== undefined) pieces.push(...encodeField(Number(number), field, value, at));
    else if (type.required.includes(field.name)) throw refusal(at, 'is missing');
  }
  return Buffer.concat(pieces);
}

/** Tells an object from a Map, whose entries are no properties. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function encodeField(number: number, field: Field, value: unknown, path: Path): Buffer[] {
  const { type, repeated } = field;
  const tag = varint(number * 8 + (isDelimited(type) ? DELIMITED : VARINT));
  if (!repeated) return [tag, encodeValue(type, value, path)];
  if (!Array.isArray(value)) throw refusal(path, 'is not an array');
  // The elements are encoded synchronously, which blocks the event loop.
  if (value.length > MAX_ELEMENTS) throw refusal(path, 'is too long');
  return Array.from(value, (element, index) => [
    tag,
    encodeValue(type, element, [...path, String(index)]),
  ]).flat();
}

function encodeValue(type: FieldType, value: unknown, path: Path): Buffer {
  if (typeof type === 'string') return encodeScalar(type, value) ?? refuse(path, type);
  if (isMessage(type)) return delimited(encodeMessage(type, value, path));
  return encodeEnum(type, value) ?? refuse(path, type.name);
}

function encodeScalar(type: Scalar, value: unknown): Buffer | undefined {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean' ? varint(Number(value)) : undefined;
    case 'bytes':
      return value instanceof Uint8Array ? delimited(value) : undefined;
    case 'string':
      return typeof value === 'string' && !LONE_SURROGATE.test(value)
        ? delimited(Buffer.from(value))
        : undefined;
    case 'int32':
      return isInteger(value, -(2 ** 31), 2 ** 31 - 1) ? varint(value) : undefined;
    case 'uint32':
      return isInteger(value, 0, 2 ** 32 - 1) ? varint(value) : undefined;
    case 'uint64':
      return isInteger(value, 0, Number.MAX_SAFE_INTEGER) ? varint(value) : undefined;
  }
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function encodeEnum({ numbers }: EnumType, value: unknown): Buffer | undefined {
  if (typeof value !== 'string' || !Object.hasOwn(numbers, value)) return undefined;
  return varint(numbers[value] as number);
}

function delimited(bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(bytes.length), bytes]);
}

/** @param value negative numbers become 64 bits in two's complement */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? 2n ** 64n + BigInt(value) : BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function refusal(path: Path, why: string): TypeError {
  const what = path.length === 0 ? 'the request' : `the field ${path.join('.')} of the request`;
  return new TypeError(`${what} ${why}`);
}

function refuse(path: Path, type: string): never {
  throw refusal(path, `is not a valid ${type}`);
}
