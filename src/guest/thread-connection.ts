import {
  BroadcastChannel,
  type MessagePort,
  receiveMessageOnPort,
  threadId,
} from 'node:worker_threads';
import type { Channel } from './guest.ts';
import type { GuestMessage, HostMessage } from './protocol.ts';
import { CHANNEL, type ThreadEnd, type ThreadMessage } from './thread-messages.ts';
import { watchWorkers } from './threads.ts';

/** The way of a worker thread to the main thread, which coordinates the checkpoint. */
export class ThreadConnection implements Channel {
  readonly isOpen = true;
  readonly #channel = new BroadcastChannel(CHANNEL);
  #hello: GuestMessage | undefined;
  #gate: Int32Array = new Int32Array(1);

  constructor(onMessage: (message: HostMessage) => void) {
    this.#channel.onmessage = (event) => {
      const data = (event as { data: ThreadMessage }).data;
      if (!('toAll' in data)) return;
      if (data.gate) this.#gate = data.gate;
      if (data.toAll) onMessage(data.toAll);
      else if (this.#hello) this.send(this.#hello);
    };
    this.#channel.unref();
    const onEnd = (ended: number) => this.#channel.postMessage({ ended } satisfies ThreadEnd);
    watchWorkers(() => {}, onEnd);
  }

  keepRunning(keep: boolean): void {
    if (keep) this.#channel.ref();
    else this.#channel.unref();
  }

  send(message: GuestMessage): void {
    if (message.type === 'hello') this.#hello = message;
    this.#channel.postMessage({ from: threadId, message });
  }

  receiveBlocking(): { message: HostMessage | undefined; isCopy: boolean } {
    Atomics.wait(this.#gate, 0, 0);
    // The message was sent before the gate was opened, and others may precede it.
    for (;;) {
      const received = receiveMessageOnPort(this.#channel as unknown as MessagePort);
      if (!received) return { message: undefined, isCopy: false };
      const data: ThreadMessage = received.message;
      if ('toAll' in data && data.toAll) return { message: data.toAll, isCopy: false };
    }
  }
}
