import { fstatSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';
import { LineSplitter } from './lines.ts';
import { addOwnDescriptor, deleteOwnDescriptor } from './own-descriptors.ts';
import {
  encodeMessage,
  type GuestMessage,
  type HostMessage,
  MAX_LINE,
  parseGuestMessage,
  parseHostMessage,
} from './protocol.ts';

/** How much is read at once, in bytes. */
const PIECE = 65_536;

/** How long the peer may take to read a message before it counts as gone. */
const SEND_MS = 10_000;

/** What a connection carries. */
export interface Carried<Incoming, Outgoing> {
  /** @throws Error if the line is wrong */
  readonly parse: (line: string) => Incoming;
  readonly encode: (message: Outgoing) => Uint8Array;
}

/** A connection that can block the thread: the end of a guest, or that of a process with children. */
export class Connection<Incoming, Outgoing> {
  readonly #fd: number;
  readonly #lines = new LineSplitter();
  readonly #carried: Carried<Incoming, Outgoing>;
  readonly #onMessage: (message: Incoming | undefined) => void;
  readonly #received: Incoming[] = [];
  #watch: Watch | undefined;
  #isOpen = true;
  #isReferenced = false;
  #isClosed = false;
  /** The socket. That of a copy has another number, whenever the checkpoint was made. */
  #inode: number;

  /**
   * @param fd a connected stream socket
   * @param onMessage receives what arrives while nothing blocks, and undefined at the end of the connection
   */
  constructor(
    fd: number,
    carried: Carried<Incoming, Outgoing>,
    onMessage: (message: Incoming | undefined) => void,
  ) {
    this.#fd = fd;
    this.#inode = fstatSync(fd).ino;
    addOwnDescriptor(fd);
    this.#carried = carried;
    this.#onMessage = onMessage;
    this.#startWatch();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Makes the connection keep the process running, or, as initially, not. */
  keepRunning(keep: boolean): void {
    this.#isReferenced = keep;
    if (keep) this.#watch?.ref();
    else this.#watch?.unref();
  }

  /** Sends a message, and blocks while the peer reads nothing. Does nothing once it is gone. */
  send(message: Outgoing): void {
    if (!this.#isOpen) return;
    try {
      native().sendAll(this.#fd, this.#carried.encode(message), SEND_MS);
    } catch {
      this.#end();
    }
  }

  /**
   * Blocks the thread until the peer sends a message: no JavaScript runs meanwhile.
   * @returns undefined if the peer is gone; `isCopy` is true if this process has another connection than before
   */
  receiveBlocking(): { message: Incoming | undefined; isCopy: boolean } {
    this.#watch?.close();
    this.#watch = undefined;
    try {
      while (this.#isOpen && this.#received.length === 0) {
        native().awaitReadable(this.#fd);
        this.#read();
      }
    } catch {
      this.#end();
    }
    const message = this.#received.shift();
    const { ino } = fstatSync(this.#fd);
    const isCopy = ino !== this.#inode;
    this.#inode = ino;
    if (this.#isOpen) this.#startWatch();
    return { message, isCopy };
  }

  #startWatch(): void {
    this.#watch = native().watch(this.#fd, () => {
      try {
        this.#read();
      } catch {
        this.#end();
      }
      for (let next = this.#received.shift(); next; next = this.#received.shift()) {
        this.#onMessage(next);
      }
      if (!this.#isOpen) this.#onMessage(undefined);
    });
    this.keepRunning(this.#isReferenced);
  }

  /** Reads once. */
  #read(): void {
    const packet = native().receive(this.#fd, PIECE);
    if (packet === null) return;
    if (packet === undefined) this.#end();
    else this.#received.push(...this.#lines.push(packet.data).map(this.#carried.parse));
  }

  /** Closes the connection and its descriptor. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end();
    deleteOwnDescriptor(this.#fd);
    native().close(this.#fd);
  }

  #end(): void {
    this.#isOpen = false;
    this.#watch?.close();
    this.#watch = undefined;
  }
}

/** What a guest receives and sends. */
export const guestEnd: Carried<HostMessage, GuestMessage> = {
  parse: parseHostMessage,
  encode(message) {
    const bytes = encodeMessage(message);
    return bytes.length > MAX_LINE ? encodeMessage(shortened(message)) : bytes;
  },
};

/** What its host receives and sends. */
export const hostEnd: Carried<GuestMessage, HostMessage> = {
  parse: parseGuestMessage,
  encode: encodeMessage,
};

/** A message that fits into a line, whatever its texts contain. */
function shortened(message: GuestMessage): GuestMessage {
  const stackOf = ({ stack }: { stack?: string }, most: number) =>
    stack === undefined ? {} : { stack: stack.slice(0, most) };
  if (message.type === 'handles') {
    const handles = message.handles.slice(0, 100).map((handle) => ({
      ...{ kind: handle.kind.slice(0, 50), detail: handle.detail.slice(0, 500) },
      ...stackOf(handle, 1000),
    }));
    return { type: 'handles', handles };
  }
  if (message.type !== 'refused' && message.type !== 'failed') return message;
  const { type, error } = message;
  return { type, error: error.slice(0, 10_000), ...stackOf(message, 10_000) };
}
