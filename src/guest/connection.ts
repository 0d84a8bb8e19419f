import { fstatSync } from 'node:fs';
import { native, type Watch } from '../native/index.ts';
import { LineSplitter } from './lines.ts';
import {
  encodeMessage,
  type GuestMessage,
  type HostMessage,
  MAX_LINE,
  parseHostMessage,
} from './protocol.ts';

/** How much is read at once, in bytes. */
const PIECE = 65_536;

/** How long the host may take to read a message before it counts as gone. */
const SEND_MS = 10_000;

/** The end of a connection in the process that takes part: the guest. */
export class GuestConnection {
  readonly #fd: number;
  #lines = new LineSplitter();
  #received: HostMessage[] = [];
  #watch: Watch | undefined;
  #onMessage: (message: HostMessage | undefined) => void;
  #isOpen = true;
  #isReferenced = false;

  /**
   * @param fd a connected stream socket
   * @param onMessage receives what arrives while nothing blocks, and undefined at the end of the connection
   */
  constructor(fd: number, onMessage: (message: HostMessage | undefined) => void) {
    this.#fd = fd;
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

  /** Sends a message, and blocks while the host reads nothing. Does nothing once the host is gone. */
  send(message: GuestMessage): void {
    if (!this.#isOpen) return;
    let bytes: Uint8Array = encodeMessage(message);
    if (bytes.length > MAX_LINE + 1) bytes = encodeMessage(shortened(message));
    try {
      native().sendAll(this.#fd, bytes, SEND_MS);
    } catch {
      this.#end();
    }
  }

  /**
   * Blocks the thread until the host sends a message: no JavaScript runs meanwhile.
   * @returns undefined if the host is gone; `isCopy` is true if this process has another connection than before
   */
  receiveBlocking(): { message: HostMessage | undefined; isCopy: boolean } {
    this.#watch?.close();
    this.#watch = undefined;
    const { ino } = fstatSync(this.#fd);
    try {
      while (this.#isOpen && this.#received.length === 0) {
        native().awaitReadable(this.#fd);
        this.#read();
      }
    } catch {
      this.#end();
    }
    const message = this.#received.shift();
    const isCopy = fstatSync(this.#fd).ino !== ino;
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
    else this.#received.push(...this.#lines.push(packet.data).map(parseHostMessage));
  }

  #end(): void {
    this.#isOpen = false;
    this.#watch?.close();
    this.#watch = undefined;
  }
}

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
