import {
  type Field,
  type FieldType,
  fieldsInOrder,
  isMessage,
  type MessageType,
} from '../../protobuf/message-type.ts';
import { base64Lines, type JsonValue } from './json-text.ts';
import { parsedNumber, shownAddress, shownNumber, wordsOfAddress } from './number-formats.ts';
import { fromQuotedPrintable, quotedPrintable } from './quoted-printable.ts';

type Values = Readonly<Record<string, unknown>>;

/**
 * A message as crit shows it.
 * @param isReadable whether numbers are shown in the form that suits their field
 * @param isHex whether a message around this one is shown in hexadecimal
 */
export function messageToJson(
  type: MessageType,
  message: unknown,
  isReadable: boolean,
  isHex = false,
): Record<string, JsonValue> {
  const values = message as Values;
  const json: Record<string, JsonValue> = {};
  for (const field of fieldsInOrder(type)) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (!field.repeated) json[field.name] = valueToJson(field, value, isReadable, isHex);
    else if ((value as unknown[]).length > 0) {
      json[field.name] = listToJson(field, value as unknown[], isReadable, isHex);
    }
  }
  return json;
}

function listToJson(
  field: Field,
  values: readonly unknown[],
  isReadable: boolean,
  isHex: boolean,
): JsonValue {
  const address =
    isReadable && field.format?.ipadd ? shownAddress(values as readonly number[]) : undefined;
  if (address !== undefined) return [address];
  return values.map((value) => valueToJson(field, value, isReadable, isHex));
}

function valueToJson(
  { name, type, format }: Field,
  value: unknown,
  isReadable: boolean,
  isHexAround: boolean,
): JsonValue {
  const isHex = isHexAround || format?.hex === true;
  if (typeof type === 'object' && isMessage(type)) {
    return messageToJson(type, value, isReadable, isHex);
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
    return format?.conv === 'unix_name' ? quotedPrintable(bytes) : base64Lines(bytes);
  }
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  // The number of an enum is one that has no name.
  if (!isReadable || !isNumber || typeof type === 'object') return value as JsonValue;
  return shownNumber(name, isHex ? { hex: true } : format, value);
}

/**
 * Reads a message from crit's form of it, readable or not.
 * @throws TypeError with the name of the first field that is unknown or invalid
 */
export function messageFromJson(type: MessageType, json: unknown, path = ''): Values {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TypeError(`${path || type.name} is not an object`);
  }
  const fields = new Map(fieldsInOrder(type).map((field) => [field.name, field]));
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    const field = fields.get(name);
    const at = path === '' ? name : `${path}.${name}`;
    if (!field) throw new TypeError(`${at} is unknown`);
    values[name] = field.repeated
      ? listFromJson(field, value, at)
      : fieldFromJson(field, value, at);
  }
  return values;
}

function listFromJson(field: Field, json: unknown, at: string): unknown[] {
  if (!Array.isArray(json)) throw new TypeError(`${at} is not an array`);
  const [first] = json;
  if (field.format?.ipadd && typeof first === 'string') {
    return named(`${at}.0`, () => wordsOfAddress(first));
  }
  return json.map((value, index) => fieldFromJson(field, value, `${at}.${index}`));
}

function fieldFromJson({ name, type, format }: Field, json: unknown, at: string): unknown {
  if (typeof type === 'object') {
    // Encoding refuses names that do not exist.
    return isMessage(type) ? messageFromJson(type, json, at) : json;
  }
  if (type === 'bool') return json;
  if (type === 'string' || type === 'bytes') {
    if (typeof json !== 'string') throw new TypeError(`${at} is not a text`);
    if (type === 'string') return json;
    return format?.conv === 'unix_name' ? fromQuotedPrintable(json) : Buffer.from(json, 'base64');
  }
  const number =
    typeof json === 'string' ? named(at, () => parsedNumber(name, format, json)) : json;
  return exactNumber(type, number);
}

/** A number as decoding gives it; encoding refuses anything else. */
function exactNumber(type: FieldType, value: unknown): unknown {
  const isLong = typeof type === 'string' && type.endsWith('64');
  if (isLong && typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  const fits = typeof value === 'bigint' && Number.isSafeInteger(Number(value));
  return !isLong && fits ? Number(value) : value;
}

/** Puts the name of a field before the message of an error. */
function named<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new TypeError(`${at} ${(error as Error).message}`);
  }
}
