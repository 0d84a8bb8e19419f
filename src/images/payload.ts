import { createReadStream } from 'node:fs';
import { CriuError } from '../errors.ts';

/** Bytes that follow an entry in an image file, such as those in a pipe. */
export interface Payload {
  /** The number of bytes. */
  readonly length: number;
  /**
   * Reads all bytes into memory.
   * @throws CriuError ERR_CRIU_BAD_IMAGE if the file cannot be read any more
   */
  bytes(): Promise<Buffer>;
  /**
   * Reads the bytes in pieces of at most 64 KiB.
   * @throws CriuError ERR_CRIU_BAD_IMAGE if the file cannot be read any more
   */
  stream(): AsyncIterable<Buffer>;
}

/** A payload of bytes in memory. */
export function heldPayload(bytes: Uint8Array): Payload {
  const held = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    length: held.length,
    bytes: async () => held,
    stream: async function* () {
      if (held.length > 0) yield held;
    },
  };
}

/** A payload that stays in its file until it is read. The file must not change until then. */
export function filePayload(path: string, offset: number, length: number): Payload {
  async function* stream(): AsyncIterable<Buffer> {
    const operation = 'decodeImage';
    let left = length;
    try {
      for await (const piece of createReadStream(path, {
        start: offset,
        end: offset + length - 1,
      })) {
        left -= (piece as Buffer).length;
        yield piece as Buffer;
      }
    } catch (cause) {
      const message = `${operation}: ${path} cannot be read: ${(cause as Error).message}`;
      throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, path, offset, cause });
    }
    if (left > 0) {
      const message = `${operation}: ${path} has become shorter, and lacks ${left} bytes of a payload`;
      throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation, path, offset });
    }
  }
  return {
    length,
    stream,
    async bytes() {
      const pieces: Buffer[] = [];
      for await (const piece of stream()) pieces.push(piece);
      return Buffer.concat(pieces);
    },
  };
}

/** The payload that the caller gave: bytes, or what was decoded. */
export function payloadOf(given: Payload | Uint8Array): Payload {
  return given instanceof Uint8Array ? heldPayload(given) : given;
}
