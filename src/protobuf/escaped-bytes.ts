// Text that is not UTF-8, such as most names of files may be, in a string: each byte that does not fit becomes
// a lone surrogate from U+DC80 to U+DCFF, as Python has it. Source: https://peps.python.org/pep-0383/

const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPED = /[\udc80-\udcff]/;
const ESCAPE = 0xdc00;

/** Decodes UTF-8 so that {@link escapedBytes} gives the same bytes. */
export function escapedText(bytes: Buffer): string {
  const text = bytes.toString();
  if (!text.includes('\ufffd') || Buffer.from(text).equals(bytes)) return text;
  let escaped = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    escaped +=
      length === 0
        ? String.fromCharCode(ESCAPE + (bytes[at] as number))
        : bytes.toString('utf8', at, at + length);
    at += length || 1;
  }
  return escaped;
}

/** Encodes text as UTF-8, with the escaped bytes as they were; undefined if it has other lone surrogates. */
export function escapedBytes(text: string): Buffer | undefined {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text);
  const parts: Buffer[] = [];
  for (const character of text) {
    if (ESCAPED.test(character) && character.length === 1) {
      parts.push(Buffer.from([character.charCodeAt(0) - ESCAPE]));
    } else if (LONE_SURROGATE.test(character)) return undefined;
    else parts.push(Buffer.from(character));
  }
  return Buffer.concat(parts);
}

/** How many bytes the character takes that begins here; 0 if none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4; length++) {
    const part = bytes.subarray(at, at + length);
    if (part.length === length && Buffer.from(part.toString()).equals(part)) return length;
  }
  return 0;
}
