import { BroadcastChannel, type Worker } from 'node:worker_threads';
import type { LimitedRequest, Participants } from './guest.ts';
import { askAll, Participant } from './participant.ts';
import type { GuestFailure } from './protocol.ts';
import {
  CHANNEL,
  type ReleaseMessage,
  type ThreadMessage,
  type ToThreads,
} from './thread-messages.ts';

/** The worker threads that take part, for the main thread. */
export class Threads implements Participants {
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #threads = new Map<number, Participant>();
  readonly #onRequest: () => void;
  #gate: Int32Array = new Int32Array(1);

  /** @param onRequest called when a thread asks for a checkpoint */
  constructor(onRequest: () => void) {
    this.#onRequest = onRequest;
    this.#channel.onmessage = (event) => this.#onMessage((event as { data: ThreadMessage }).data);
    this.#channel.unref();
    watchWorkers((id) => this.#onEnd(id));
    // Those that were there before say hello again.
    this.#send({ toAll: undefined, gate: undefined });
  }

  prepare(request: LimitedRequest): Promise<GuestFailure | undefined> {
    this.#gate = new Int32Array(new SharedArrayBuffer(4));
    const send = () => this.#send({ toAll: request, gate: this.#gate });
    return askAll([...this.#threads.values()], send, request.timeoutMs);
  }

  release(message: ReleaseMessage, timeoutMs: number): Promise<GuestFailure | undefined> {
    const stopping = [...this.#threads.values()].filter(({ isStopping }) => isStopping);
    const send = () => {
      this.#send({ toAll: message, gate: undefined });
      Atomics.store(this.#gate, 0, 1);
      Atomics.notify(this.#gate, 0);
    };
    return askAll(stopping, send, timeoutMs);
  }

  #send(message: ToThreads): void {
    this.#channel.postMessage(message);
  }

  #onMessage(data: ThreadMessage): void {
    if ('ended' in data) this.#onEnd(data.ended);
    else if ('from' in data) {
      const { from, message } = data;
      const known = this.#threads.get(from);
      if (known) known.onMessage(message);
      else this.#threads.set(from, new Participant(`worker thread ${from}`));
      if (message.type === 'checkpoint-me') this.#onRequest();
    }
  }

  #onEnd(id: number): void {
    this.#threads.get(id)?.onEnd();
    this.#threads.delete(id);
  }
}

/** Calls back when a thread has ended that this thread has started. */
export function watchWorkers(onEnd: (id: number) => void): void {
  process.on('worker', (worker: Worker) => {
    const { threadId } = worker;
    worker.once('exit', () => onEnd(threadId));
  });
}
