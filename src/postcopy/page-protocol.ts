import { Transform, type TransformCallback, Writable } from 'node:stream';
import { native } from '../native/index.ts';

/** How much may wait on a connection with pages before its source has to, in bytes. */
export const PAGES_AHEAD = 1 << 20;
/** The size of CRIU's struct page_server_iov: command, pages, address, pid. */
export const COMMAND_SIZE = 32;
const GET = 7;
const CLOSE = 0x1023;
const FORCE_CLOSE = 0x1024;
/** What a command is, without the flags above it. */
const COMMAND_MASK = 0xffff;

/** What a destination may ask of a lazy dump. */
export type Command = 'get' | 'leave' | 'unknown';

/** Reads the command at the beginning of a message. */
export function commandOf(message: Buffer): Command {
  const command = message.readUInt32LE(0) & COMMAND_MASK;
  if (command === GET) return 'get';
  return command === CLOSE || command === FORCE_CLOSE ? 'leave' : 'unknown';
}

/** A message by which the other side is told that it is all over, which it answers. */
export function leave(): Buffer {
  const message = Buffer.alloc(COMMAND_SIZE);
  message.writeUInt32LE(CLOSE, 0);
  return message;
}

/** A message that CRIU takes for a failure, at which it rolls back. */
export function failure(): Buffer {
  return Buffer.alloc(COMMAND_SIZE);
}

/** The answer to {@link leave}. */
export function farewell(): Buffer {
  return Buffer.alloc(4);
}

/** Lets whole requests for pages through, up to the first message of another kind. */
export class Requests extends Transform {
  readonly #stopped: (command: Command) => void;
  #rest = Buffer.alloc(0);
  #over = false;

  constructor(stopped: (command: Command) => void) {
    super();
    this.#stopped = stopped;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#over) {
      done();
      return;
    }
    this.#rest = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (; this.#rest.length - at >= COMMAND_SIZE; at += COMMAND_SIZE) {
      const command = commandOf(this.#rest.subarray(at));
      if (command === 'get') continue;
      this.#over = true;
      this.#stopped(command);
      break;
    }
    const whole = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at);
    done(null, whole);
  }
}

/**
 * Lets answers through, and tells what pages they bring: all of them once they have passed. The
 * beginning of an answer and its pages come in chunks of their own.
 */
export class Answers extends Transform {
  readonly #brought: (pid: number, start: number, count: number) => void;
  #head = Buffer.alloc(0);
  /** How many bytes of pages are still to come. */
  #pages = 0;

  constructor(brought: (pid: number, start: number, count: number) => void) {
    super();
    this.#brought = brought;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let at = 0; at < chunk.length; ) {
      const wanted = this.#pages > 0 ? this.#pages : COMMAND_SIZE - this.#head.length;
      const part = chunk.subarray(at, at + wanted);
      at += part.length;
      this.push(part);
      if (this.#pages > 0) {
        this.#pages -= part.length;
        if (this.#pages === 0) this.#tell();
      } else {
        this.#head = Buffer.concat([this.#head, part]);
        if (this.#head.length < COMMAND_SIZE) continue;
        this.#pages = this.#head.readUInt32LE(8) * native().pageSize;
        if (this.#pages === 0) this.#tell();
      }
    }
    done();
  }

  #tell(): void {
    const { start, pid } = {
      start: Number(this.#head.readBigUInt64LE(16)),
      pid: this.#head.readUInt32LE(24),
    };
    this.#brought(pid, start, this.#head.readUInt32LE(8));
    this.#head = Buffer.alloc(0);
  }
}

/**
 * Writes each chunk apart. CRIU polls the socket below TLS: of a record it must never read a part
 * only, or it waits for the rest that it has already.
 */
export function oneByOne(peer: Writable): Writable {
  const outlet = new Writable({
    write(chunk, _encoding, done) {
      peer.write(chunk, done);
    },
    final(done) {
      peer.end(done);
    },
  });
  // What cannot be written is the peer's end, which is noticed there.
  return outlet.on('error', () => {});
}
