// Quoted-printable text as Python's quopri module writes it, with which crit shows the names of UNIX sockets.
// Source: https://www.rfc-editor.org/rfc/rfc2045#section-6.7

/** The longest line, without its end. */
const MAX_LINE = 76;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/** Encodes bytes; a line that would be too long is broken with a `=` at its end. */
export function quotedPrintable(bytes: Uint8Array): string {
  let text = '';
  let column = 0;
  const lineEnd = lineEndOf(bytes);
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const next = bytes[at + 1];
    if (lineEnd && (byte === NEWLINE || (byte === RETURN && next === NEWLINE))) {
      text = `${quotedLast(text)}${lineEnd}`;
      column = 0;
      if (byte === RETURN) at++;
      continue;
    }
    const isQuoted = mustQuote(byte, next, column) || (!lineEnd && isBreak(byte));
    const size = isQuoted ? 3 : 1;
    const isLast = next === undefined || (!isQuoted && next === NEWLINE);
    if (column + size >= MAX_LINE && (isQuoted || !isLast)) {
      text += `=${lineEnd ?? '\n'}`;
      column = 0;
    }
    text += isQuoted ? quoted(byte) : String.fromCharCode(byte);
    column += size;
  }
  return text;
}

/** Decodes what {@link quotedPrintable} has encoded. */
export function fromQuotedPrintable(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll(/=\r?\n/g, ''));
  const decoded: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const digits = bytes.toString('latin1', at + 1, at + 3);
    const isQuoted = bytes[at] === 0x3d && /^[\da-fA-F]{2}$/.test(digits);
    decoded.push(isQuoted ? Number.parseInt(digits, 16) : (bytes[at] as number));
    if (isQuoted) at += 2;
  }
  return Buffer.from(decoded);
}

/**
 * How all lines end; undefined if they end in both ways. Python would give them all the same end, which loses bytes:
 * then the ends are quoted.
 */
function lineEndOf(bytes: Uint8Array): string | undefined {
  const ends = new Set<string>();
  for (const [at, byte] of bytes.entries()) {
    if (byte === NEWLINE) ends.add(bytes[at - 1] === RETURN ? '\r\n' : '\n');
  }
  return ends.size > 1 ? undefined : ([...ends][0] ?? '\n');
}

function isBreak(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

function mustQuote(byte: number, next: number | undefined, column: number): boolean {
  if (byte > 126 || byte === 0x3d) return true;
  // A line with only a dot ends a message of SMTP.
  const endsLine = next === undefined || next === NEWLINE || next === RETURN || next === 0;
  if (byte === 0x2e) return column === 0 && endsLine;
  if (byte === SPACE || byte === TAB) return next === undefined;
  return byte < SPACE && byte !== RETURN;
}

/** Quotes a space or tab at the end of a line, which mail may lose. */
function quotedLast(text: string): string {
  return /[ \t]$/.test(text)
    ? `${text.slice(0, -1)}${quoted(text.charCodeAt(text.length - 1))}`
    : text;
}

function quoted(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
