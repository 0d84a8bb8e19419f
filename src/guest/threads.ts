import { BroadcastChannel, type Worker } from 'node:worker_threads';
import type { LimitedRequest, Participants } from './guest.ts';
import { askAll, handlesOf, Participant } from './participant.ts';
import type { GuestFailure, GuestHandle } from './protocol.ts';
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
  /** Those that the main thread has started. */
  readonly #started = new Set<number>();
  readonly #onRequest: () => void;
  #gate: Int32Array = new Int32Array(1);

  /** @param onRequest called when a thread asks for a checkpoint */
  constructor(onRequest: () => void) {
    this.#onRequest = onRequest;
    this.#channel.onmessage = (event) => this.#onMessage((event as { data: ThreadMessage }).data);
    this.#channel.unref();
    watchWorkers(
      (id) => this.#started.add(id),
      (id) => this.#onEnd(id),
    );
    // Those that were there before say hello again.
    this.#send({ toAll: undefined, gate: undefined });
  }

  prepare(request: LimitedRequest): Promise<GuestFailure | undefined> {
    this.#gate = new Int32Array(new SharedArrayBuffer(4));
    const send = () => this.#send({ toAll: request, gate: this.#gate });
    return askAll([...this.#threads.values()], 'stop', send, request.timeoutMs);
  }

  release(message: ReleaseMessage, timeoutMs: number): Promise<GuestFailure | undefined> {
    const stopping = [...this.#threads.values()].filter(({ isStopping }) => isStopping);
    const send = () => {
      this.#send({ toAll: message, gate: undefined });
      Atomics.store(this.#gate, 0, 1);
      Atomics.notify(this.#gate, 0);
    };
    return askAll(stopping, 'continue', send, timeoutMs);
  }

  /** The descriptors are those of the process, so what is missing is only who does not take part. */
  handles(): GuestHandle[] {
    const detail = (id: number) => `worker thread ${id} does not load node-criu/guest`;
    const others = [...this.#started].filter((id) => !this.#threads.has(id));
    const strangers = others.map((id) => ({ kind: 'worker', detail: detail(id) }));
    return [...strangers, ...handlesOf([...this.#threads.values()])];
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
    this.#started.delete(id);
  }
}

/** Calls back about the threads that this thread starts. */
export function watchWorkers(onStart: (id: number) => void, onEnd: (id: number) => void): void {
  process.on('worker', (worker: Worker) => {
    const { threadId } = worker;
    onStart(threadId);
    worker.once('exit', () => onEnd(threadId));
  });
}
