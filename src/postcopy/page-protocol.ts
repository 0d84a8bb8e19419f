import { Transform, type TransformCallback, Writable } from 'node:stream';
import { native } from '../native/index.ts';

/** How many bytes of pages a connection buffers before its sender has to wait. */
export const MAX_BUFFERED_BYTES = 1 << 20;
/** The size of CRIU's struct page_server_iov: command, pages, address, pid. */
export const MESSAGE_SIZE = 32;
const OPEN = 3;
const ADD = 6;
const GET = 7;
const CLOSE = 0x1023;
const FORCE_CLOSE = 0x1024;
/** The bits of the command; the bits above are flags. */
const COMMAND_MASK = 0xffff;
const FLAGS_SHIFT = 16;
/** The bits of a destination that say whether it is a process or shared memory; the bits above are its number. */
const TYPE_SIZE = 256;
const PROCESS = 1;
const SHARED = 2;

/** The requests of a destination to a lazy dump. */
export type Command = 'get' | 'close' | 'unknown';

/** Reads the command at the beginning of a message. */
export function commandOf(message: Buffer): Command {
  const command = message.readUInt32LE(0) & COMMAND_MASK;
  if (command === GET) return 'get';
  return command === CLOSE || command === FORCE_CLOSE ? 'close' : 'unknown';
}

/** The pages that a request asks for. */
export interface RequestedPages {
  readonly pid: number;
  readonly start: number;
  readonly count: number;
}

/** Reads the pages of a request. */
export function requestedPages(message: Buffer): RequestedPages {
  const [count, start, pid] = [8, 16, 24].map((at) => Number(message.readBigUInt64LE(at)));
  return { pid, start, count } as RequestedPages;
}

/** What a page server calls the pages of a process, by the pid in its images. */
export function processPages(pid: number): number {
  return pid * TYPE_SIZE + PROCESS;
}

/** What a page server calls the pages of shared memory. */
export function sharedPages(id: number): number {
  return id * TYPE_SIZE + SHARED;
}

/** The message that has a page server begin with other pages. It is not answered. */
export function openMessage(destination: number): Buffer {
  return message(OPEN, destination);
}

/** The message that precedes pages, which follow if the flags of CRIU's pagemap say that they are present. */
export function addMessage(
  destination: number,
  [address, count, flags]: readonly [address: number, count: number, flags: number],
): Buffer {
  const added = message(ADD + flags * 2 ** FLAGS_SHIFT, destination);
  added.writeBigUInt64LE(BigInt(count), 8);
  added.writeBigUInt64LE(BigInt(address), 16);
  return added;
}

/** The message that ends a round on a connection that stays open; the page server answers it with a status. */
export function endMessage(): Buffer {
  return message(FORCE_CLOSE);
}

/** The message that reports that the transfer is complete; the other side answers it. */
export function closeMessage(): Buffer {
  return message(CLOSE);
}

/** The answer to {@link closeMessage}. */
export function closeAnswer(): Buffer {
  return Buffer.alloc(4);
}

/** A message without a valid command, which makes CRIU fail and roll back. */
export function invalidMessage(): Buffer {
  return Buffer.alloc(MESSAGE_SIZE);
}

function message(command: number, destination = 0): Buffer {
  const written = Buffer.alloc(MESSAGE_SIZE);
  written.writeUInt32LE(command, 0);
  written.writeBigUInt64LE(BigInt(destination), 24);
  return written;
}

/**
 * Forwards complete requests for pages, up to the first message of another kind. A request for pages that
 * the source does not have is one too: it would make CRIU fail, or crash.
 */
export class RequestFilter extends Transform {
  readonly #onOther: (command: Command) => void;
  readonly #has: (pages: RequestedPages) => boolean;
  #rest = Buffer.alloc(0);
  #ended = false;

  /**
   * @param onOther called with the first other command; nothing is forwarded from then on
   * @param has true for pages that the source has
   */
  constructor(onOther: (command: Command) => void, has: (pages: RequestedPages) => boolean) {
    super();
    this.#onOther = onOther;
    this.#has = has;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#ended) {
      done();
      return;
    }
    this.#rest = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (; this.#rest.length - at >= MESSAGE_SIZE; at += MESSAGE_SIZE) {
      const message = this.#rest.subarray(at);
      const command = commandOf(message);
      if (command === 'get' && this.#has(requestedPages(message))) continue;
      this.#ended = true;
      this.#onOther(command === 'get' ? 'unknown' : command);
      break;
    }
    const complete = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at);
    done(null, complete);
  }
}

/**
 * Forwards answers, and reports the pages of an answer once all of them are forwarded. The header of
 * an answer and its pages are separate chunks.
 */
export class AnswerMeter extends Transform {
  readonly #onPages: (pid: number, start: number, count: number) => void;
  #header = Buffer.alloc(0);
  /** How many bytes of pages are still to come. */
  #missingBytes = 0;

  constructor(onPages: (pid: number, start: number, count: number) => void) {
    super();
    this.#onPages = onPages;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let at = 0; at < chunk.length; ) {
      const isHeader = this.#missingBytes === 0;
      const wanted = isHeader ? MESSAGE_SIZE - this.#header.length : this.#missingBytes;
      const part = chunk.subarray(at, at + wanted);
      at += part.length;
      this.push(part);
      if (isHeader) {
        this.#header = Buffer.concat([this.#header, part]);
        if (this.#header.length < MESSAGE_SIZE) continue;
        this.#missingBytes = this.#header.readUInt32LE(8) * native().pageSize;
      } else {
        this.#missingBytes -= part.length;
      }
      if (this.#missingBytes === 0) this.#report();
    }
    done();
  }

  #report(): void {
    const header = this.#header;
    this.#header = Buffer.alloc(0);
    this.#onPages(
      header.readUInt32LE(24),
      Number(header.readBigUInt64LE(16)),
      header.readUInt32LE(8),
    );
  }
}

/**
 * Writes each chunk as TLS records of its own. CRIU polls the socket below TLS: if it read only a
 * part of a record, it would wait for data that it has already received.
 */
export function recordWriter(peer: Writable): Writable {
  const outlet = new Writable({
    write(chunk, _encoding, done) {
      peer.write(chunk, done);
    },
    final(done) {
      peer.end(done);
    },
  });
  // A write fails only if the peer is gone; the 'close' event reports that.
  return outlet.on('error', () => {});
}
