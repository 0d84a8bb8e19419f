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
  const parts: (string | Payload)[] = [];
  let text = '';
  const write = (value: JsonValue, level: number | undefined): void => {
    if (typeof value === 'string') text += quoted(value);
    else if (typeof value !== 'object' || value === null) text += String(value);
    else if (isPayload(value)) {
      parts.push(`${text}"`, value);
      text = '"';
    } else if (Array.isArray(value)) {
      list('[', ']', value as readonly JsonValue[], level, write);
    } else {
      const members = value as Readonly<Record<string, JsonValue>>;
      list('{', '}', Object.keys(members), level, (key, inner) => {
        text += `${quoted(key)}: `;
        write(members[key] as JsonValue, inner);
      });
    }
  };
  const list = <Item>(
    begin: string,
    end: string,
    items: readonly Item[],
    level: number | undefined,
    each: (item: Item, level: number | undefined) => void,
  ) => {
    text += begin;
    const inner = level === undefined ? undefined : level + 1;
    for (let index = 0; index < items.length; index++) {
      text += separator(index, inner);
      each(items[index] as Item, inner);
    }
    if (level !== undefined && items.length > 0) text += `\n${INDENT.repeat(level)}`;
    text += end;
  };
  write(value, level);
  return [...parts, text];
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
