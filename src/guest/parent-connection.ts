import type { Socket } from 'node:net';
import { native } from '../native/index.ts';
import { CONNECT } from './children.ts';
import { Connection, guestEnd } from './connection.ts';
import type { Channel } from './guest.ts';
import type { GuestMessage, HostMessage } from './protocol.ts';

/** The connection of a child to its parent, which gives it one when it asks for it. */
export class ParentConnection implements Channel {
  #connection: Connection<HostMessage, GuestMessage> | undefined;
  /** What was sent before there was a connection. */
  #waiting: GuestMessage[] = [];
  #keepsRunning = false;

  constructor(onMessage: (message: HostMessage | undefined) => void) {
    process.on('internalMessage', (message: { cmd?: unknown }, socket: unknown) => {
      if (message.cmd !== CONNECT || !socket) return;
      this.#connection = new Connection(takeDescriptor(socket as Socket), guestEnd, onMessage);
      this.#connection.keepRunning(this.#keepsRunning);
      for (const each of this.#waiting.splice(0)) this.#connection.send(each);
    });
    process.send?.({ cmd: CONNECT });
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen ?? true;
  }

  keepRunning(keep: boolean): void {
    this.#keepsRunning = keep;
    this.#connection?.keepRunning(keep);
  }

  send(message: GuestMessage): void {
    if (this.#connection) this.#connection.send(message);
    else this.#waiting.push(message);
  }

  receiveBlocking(): { message: HostMessage | undefined; isCopy: boolean } {
    return this.#connection?.receiveBlocking() ?? { message: undefined, isCopy: false };
  }
}

/** Takes the open file from a socket before Node has read from it. */
function takeDescriptor(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } };
  const fd = native().duplicate(handle.fd);
  socket.destroy();
  return fd;
}
