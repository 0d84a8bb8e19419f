import { type FileHandle, open } from 'node:fs/promises';
import { CriuError } from '../errors.ts';
import { filePayload, heldPayload, type Payload } from './payload.ts';

/** How much of a file is read at once. */
const WINDOW = 256 * 1024;
/** The largest payload that is kept in memory, so that reading it opens no file. */
const MAX_HELD = 64 * 1024;

/** Reads an image from its beginning to its end, with a part of it in memory. */
export class ImageCursor {
  readonly #operation: string;
  readonly #path: string | undefined;
  readonly #file: FileHandle | undefined;
  readonly #size: number;
  #window: Buffer;
  /** Where the window begins in the image. */
  #start = 0;
  /** Where the next byte is in the window. */
  #at = 0;

  private constructor(
    operation: string,
    size: number,
    source: { readonly path: string; readonly file: FileHandle } | Buffer,
  ) {
    this.#operation = operation;
    this.#size = size;
    const isHeld = source instanceof Uint8Array;
    this.#window = isHeld ? source : Buffer.alloc(0);
    this.#path = isHeld ? undefined : source.path;
    this.#file = isHeld ? undefined : source.file;
  }

  /** @throws CriuError ERR_CRIU_BAD_IMAGE */
  static async open(operation: string, source: string | Uint8Array): Promise<ImageCursor> {
    if (typeof source !== 'string') {
      const bytes = Buffer.from(source.buffer, source.byteOffset, source.length);
      return new ImageCursor(operation, bytes.length, bytes);
    }
    const unreadable = (why: string, cause?: unknown) =>
      new CriuError('ERR_CRIU_BAD_IMAGE', `${operation}: ${source} ${why}`, {
        ...{ operation, path: source, cause },
      });
    const file = await open(source, 'r').catch((cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'is missing' : `cannot be read: ${cause.message}`;
      throw unreadable(why, cause);
    });
    const stats = await file.stat();
    if (stats.isFile()) return new ImageCursor(operation, stats.size, { path: source, file });
    await file.close();
    throw unreadable('is not a regular file');
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** The number of bytes before the next one. */
  get offset(): number {
    return this.#start + this.#at;
  }

  /** The number of bytes that follow. */
  get remaining(): number {
    return this.#size - this.offset;
  }

  /** True if as many bytes can be taken without a call of {@link fill}. */
  has(length: number): boolean {
    return this.#window.length - this.#at >= length;
  }

  /** Reads so many bytes into memory that as many can be taken. */
  async fill(length: number): Promise<void> {
    if (this.has(length)) return;
    if (length > this.remaining) throw this.truncated(length);
    const start = this.offset;
    const size = Math.min(Math.max(length, WINDOW), this.remaining);
    const window = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await (this.#file as FileHandle)
        .read(window, filled, size - filled, start + filled)
        .catch((cause: Error) => {
          throw this.bad(`cannot be read: ${cause.message}`, start + filled, cause);
        });
      if (bytesRead === 0) throw this.truncated(length);
      filled += bytesRead;
    }
    this.#window = window.subarray(0, filled);
    this.#start = start;
    this.#at = 0;
  }

  /** Takes the next bytes, which {@link fill} has read. Shares its memory with the window. */
  take(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    return this.#window.subarray(start, this.#at);
  }

  /** Takes a word. */
  async word(): Promise<number> {
    if (!this.has(4)) await this.fill(4);
    const word = this.#window.readUInt32LE(this.#at);
    this.#at += 4;
    return word;
  }

  /** Takes bytes as a payload, which is read later if it is large. */
  async payload(length: number): Promise<Payload> {
    if (length <= MAX_HELD || this.#path === undefined) {
      await this.fill(length);
      return heldPayload(Buffer.from(this.take(length)));
    }
    const { offset } = this;
    if (length > this.remaining) throw this.truncated(length);
    this.#start = offset + length;
    this.#window = Buffer.alloc(0);
    this.#at = 0;
    return filePayload(this.#path, offset, length);
  }

  truncated(length: number): CriuError {
    const { remaining } = this;
    return this.bad(`is truncated: of ${length} bytes it has only ${remaining}`);
  }

  /** The error of damage: "OPERATION: FILE WHY, at byte OFFSET". */
  bad(why: string, offset = this.offset, cause?: unknown): CriuError {
    const message = `${this.#operation}: ${this.#path ?? 'the image'} ${why}, at byte ${offset}`;
    return new CriuError('ERR_CRIU_BAD_IMAGE', message, {
      ...{ operation: this.#operation, path: this.#path, offset, cause },
    });
  }
}
