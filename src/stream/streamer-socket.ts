import { CriuError } from '../errors.ts';
import { img_streamer_reply_entry, img_streamer_request_entry } from '../generated/messages.ts';
import { native, type Watch } from '../native/index.ts';
import { decode } from '../protobuf/decode.ts';
import { encode } from '../protobuf/encode.ts';

/** How much is received at a time: more than the longest message. */
const MOST = 8192;
/** A message is preceded by its length. */
const LENGTH = 4;

/** What the streamer does with the files that CRIU opens. */
export interface StreamerHandler {
  /** The name of the socket that CRIU connects to. */
  readonly socket: 'streamer-capture.sock' | 'streamer-serve.sock';
  /** CRIU is connected. */
  connected(): void;
  /** At a restore: whether there is a file of this name. At a dump it is not asked. */
  has?(name: string): boolean;
  /** CRIU has opened a file: the handler owns our end of its pipe. */
  opened(name: string, fd: number): void;
  /** The connection has ended, or has failed. */
  ended(failure: CriuError | undefined): void;
}

/**
 * The socket in an images directory to which CRIU connects, instead of opening files there. For each file it
 * sends a message with the name, and one byte with our end of a pipe. Source: CRIU's criu/img-streamer.c.
 */
export class StreamerSocket implements Disposable {
  readonly #handler: StreamerHandler;
  readonly #listener: number;
  #listening: Watch | undefined;
  #connection: number | undefined;
  #reading: Watch | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  readonly #fds: number[] = [];
  /** The file whose pipe comes next. */
  #name: string | undefined;
  #isOver = false;

  /** @param directory a descriptor of the images directory, which only its owner may enter */
  constructor(directory: number, handler: StreamerHandler) {
    this.#handler = handler;
    // Through the descriptor, because the path of a socket must be short.
    this.#listener = native().listen(`/proc/self/fd/${directory}/${handler.socket}`);
    this.#listening = native().watch(this.#listener, () => this.#accept());
    this.#listening.unref();
  }

  /** Handles what CRIU has sent by now. */
  drain(): void {
    if (this.#connection === undefined) this.#accept();
    while (!this.#isOver && this.#receive());
  }

  /** Closes the connection; CRIU fails if it opens another file. Idempotent. */
  [Symbol.dispose](): void {
    this.#end(undefined);
  }

  #accept(): void {
    if (!this.#listening) return;
    const fd = native().accept(this.#listener);
    if (fd === null) return;
    this.#stopListening();
    this.#connection = fd;
    this.#reading = native().watch(fd, () => this.#receive());
    this.#reading.unref();
    this.#handler.connected();
  }

  #stopListening(): void {
    if (!this.#listening) return;
    this.#listening.close();
    this.#listening = undefined;
    native().close(this.#listener);
  }

  /** False if there is nothing to receive. */
  #receive(): boolean {
    try {
      const part = this.#connection === undefined ? null : native().receive(this.#connection, MOST);
      if (part === null) return false;
      if (part === undefined) {
        this.#end(undefined);
        return false;
      }
      this.#bytes = Buffer.concat([this.#bytes, part.data]);
      this.#fds.push(...part.fds);
      while (!this.#isOver && this.#next());
      return true;
    } catch (cause) {
      const message = `CRIU's connection to the streamer has failed: ${(cause as Error).message}`;
      this.#end(new CriuError('ERR_CRIU_PROTOCOL', message, { cause }));
      return false;
    }
  }

  /** Handles one message or descriptor; false if more has to be received first. */
  #next(): boolean {
    if (this.#name !== undefined) {
      const [fd] = this.#fds;
      if (this.#bytes.length === 0 || fd === undefined) return false;
      this.#fds.shift();
      this.#bytes = this.#bytes.subarray(1);
      const name = this.#name;
      this.#name = undefined;
      this.#handler.opened(name, fd);
      return true;
    }
    if (this.#bytes.length < LENGTH) return false;
    const size = this.#bytes.readUInt32LE(0);
    if (size > MOST) throw new Error(`a message has ${size} bytes`);
    if (this.#bytes.length < LENGTH + size) return false;
    const message = this.#bytes.subarray(LENGTH, LENGTH + size);
    this.#bytes = this.#bytes.subarray(LENGTH + size);
    const { filename } = decode(img_streamer_request_entry, message);
    const exists = this.#handler.has?.(filename);
    if (exists !== undefined) this.#reply(exists);
    if (exists !== false) this.#name = filename;
    return true;
  }

  #reply(exists: boolean): void {
    const reply = encode(img_streamer_reply_entry, { exists });
    const packet = Buffer.alloc(LENGTH + reply.length);
    packet.writeUInt32LE(reply.length);
    packet.set(reply, LENGTH);
    native().send(this.#connection as number, packet);
  }

  #end(failure: CriuError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopListening();
    this.#reading?.close();
    if (this.#connection !== undefined) native().close(this.#connection);
    for (const fd of this.#fds.splice(0)) native().close(fd);
    this.#handler.ended(failure);
  }
}
