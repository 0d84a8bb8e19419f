import type { Payload } from '../payload.ts';

/** What can be written as JSON. A payload becomes text in base64. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Payload
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** How many bytes Python's base64 module puts into a line. */
const LINE_BYTES = 57;
/** Text in which nothing is escaped. */
const SIMPLE = /^[ !#-[\]-~]*$/;
/** How deep a level is indented in the readable form. */
const INDENT = '    ';

/**
 * Writes a value as Python's json module does, so that texts can be compared: characters other than ASCII are
 * escaped. Payloads stay what they are, because they may be large.
 * @param level how deep the value is; undefined for one line
 */
export function jsonParts(value: JsonValue, level?: number): (string | Payload)[] {
  const output: Output = { parts: [], text: '' };
  write(output, value, level);
  output.parts.push(output.text);
  return output.parts;
}

interface Output {
  readonly parts: (string | Payload)[];
  /** What follows the parts. */
  text: string;
}

function write(output: Output, value: JsonValue, level: number | undefined): void {
  if (typeof value === 'string') output.text += quoted(value);
  else if (typeof value !== 'object' || value === null) output.text += String(value);
  else if (isPayload(value)) {
    output.parts.push(`${output.text}"`, value);
    output.text = '"';
  } else if (Array.isArray(value)) writeArray(output, value as readonly JsonValue[], level);
  else writeObject(output, value as Readonly<Record<string, JsonValue>>, level);
}

function writeArray(output: Output, items: readonly JsonValue[], level: number | undefined): void {
  const inner = level === undefined ? undefined : level + 1;
  output.text += '[';
  for (let index = 0; index < items.length; index++) {
    output.text += separator(index, inner);
    write(output, items[index] as JsonValue, inner);
  }
  output.text += endOf(items.length, level, ']');
}

function writeObject(
  output: Output,
  members: Readonly<Record<string, JsonValue>>,
  level: number | undefined,
): void {
  const inner = level === undefined ? undefined : level + 1;
  let index = 0;
  output.text += '{';
  for (const key in members) {
    output.text += `${separator(index++, inner)}${quotedKey(key)}: `;
    write(output, members[key] as JsonValue, inner);
  }
  output.text += endOf(index, level, '}');
}

function endOf(count: number, level: number | undefined, end: string): string {
  return level === undefined || count === 0 ? end : `\n${INDENT.repeat(level)}${end}`;
}

/** Keys are the names of fields, and come again and again. */
const quotedKeys = new Map<string, string>();

function quotedKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const text = quoted(key);
  quotedKeys.set(key, text);
  return text;
}

/** What stands before an element of a list. */
export function separator(index: number, level: number | undefined): string {
  if (level === undefined) return index === 0 ? '' : ', ';
  return `${index === 0 ? '' : ','}\n${INDENT.repeat(level)}`;
}

/** Bytes in base64, in lines as Python's base64 module writes them. */
export function base64Lines(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    text += `${bytes.toString('base64', at, at + LINE_BYTES)}\n`;
  }
  return text;
}

/** A payload in base64 as the inside of a JSON text, in pieces. */
export async function* base64Pieces(payload: Payload): AsyncIterable<string> {
  let left = Buffer.alloc(0);
  for await (const piece of payload.stream()) {
    const bytes = left.length > 0 ? Buffer.concat([left, piece]) : piece;
    const whole = bytes.length - (bytes.length % LINE_BYTES);
    yield base64Lines(bytes.subarray(0, whole)).replaceAll('\n', '\\n');
    left = Buffer.from(bytes.subarray(whole));
  }
  yield base64Lines(left).replaceAll('\n', '\\n');
}

/**
 * Parses JSON with the integers that JavaScript's numbers cannot hold as text.
 * @throws SyntaxError if the text is no JSON
 */
export function parseJson(text: string): unknown {
  // Skips strings, in which digits are no numbers.
  const strings = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d{16,}(?![\d.eE])/gs;
  return JSON.parse(
    text.replace(strings, (found) => (found.startsWith('"') ? found : `"${found}"`)),
  );
}

function isPayload(value: object): value is Payload {
  return 'stream' in value && typeof value.stream === 'function';
}

function quoted(text: string): string {
  if (SIMPLE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
