import { MAX_LINE } from './protocol.ts';

const NEWLINE = 0x0a;

/** Splits what arrives into lines. */
export class LineSplitter {
  #parts: Uint8Array[] = [];
  #size = 0;

  /** The lines that the bytes complete. @throws Error if a line is too long */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, start);
      this.#keep(bytes.subarray(start, end < 0 ? bytes.length : end));
      if (end < 0) return lines;
      lines.push(Buffer.concat(this.#parts, this.#size).toString());
      this.#parts = [];
      this.#size = 0;
      start = end + 1;
    }
  }

  #keep(part: Uint8Array): void {
    this.#size += part.length;
    if (this.#size > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} bytes`);
    this.#parts.push(part);
  }
}
