import {
  DELIMITED,
  type Field,
  isDelimited,
  isMessage,
  type MessageType,
  VARINT,
} from './message-type.ts';
import { Reader } from './reader.ts';

type Values = Record<string, unknown>;

/**
 * Decodes a message: 64-bit fields as numbers, enums as names; absent fields and empty lists are
 * undefined. Unknown fields and unknown numbers of enums are skipped.
 * @throws Error if the bytes are no such message
 */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array): T {
  return decodeInto({}, type, bytes) as T;
}

function decodeInto(values: Values, type: MessageType, bytes: Uint8Array): Values {
  const reader = new Reader(bytes);
  while (!reader.atEnd) {
    const { number, wireType } = reader.tag();
    const field = type.fields[number];
    if (!field) reader.skip(number, wireType);
    else if (wireType === wireTypeOf(field)) decodeField(values, field, reader);
    else if (wireType === DELIMITED && field.repeated) decodePacked(values, field, reader);
    else reader.skip(number, wireType);
  }
  const missing = type.required.find((name) => values[name] === undefined);
  if (missing !== undefined) throw new Error(`missing required '${missing}'`);
  return values;
}

function wireTypeOf({ type }: Field): number {
  return isDelimited(type) ? DELIMITED : VARINT;
}

function decodeField(values: Values, { name, type, repeated }: Field, reader: Reader): void {
  if (repeated) {
    append(values, name, decodeValue(type, reader));
  } else {
    const value = decodeValue(type, reader, values[name] as Values | undefined);
    if (value !== undefined) values[name] = value;
  }
}

/** Decodes a list of numbers in one piece. */
function decodePacked(values: Values, { name, type }: Field, reader: Reader): void {
  const elements = new Reader(reader.bytes());
  while (!elements.atEnd) append(values, name, decodeValue(type, elements));
}

function append(values: Values, name: string, value: unknown): void {
  values[name] ??= [];
  (values[name] as unknown[]).push(value);
}

/** @param begun the message so far, because a sender may send it in several pieces */
function decodeValue(type: Field['type'], reader: Reader, begun: Values = {}): unknown {
  if (typeof type === 'string') return reader[type]();
  if (isMessage(type)) return decodeInto(begun, type, reader.bytes());
  const number = reader.int32();
  return Object.keys(type.numbers).find((name) => type.numbers[name] === number);
}
