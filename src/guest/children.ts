import type { ChildProcess } from 'node:child_process';
import { type ChannelListener, subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { native } from '../native/index.ts';
import { Connection, hostEnd } from './connection.ts';
import type { LimitedRequest, Participants } from './guest.ts';
import { askAll, handlesOf, Participant } from './participant.ts';
import type { GuestFailure, GuestHandle, GuestMessage, HostMessage } from './protocol.ts';
import type { ReleaseMessage } from './thread-messages.ts';

/**
 * The message with which a child asks its parent for a connection, and gets one. Node.js gives messages with this
 * prefix to listeners of `internalMessage`, so that the program does not see them.
 */
export const CONNECT = 'NODE_CRIU_GUEST';

/** The size of the buffers of a connection, in bytes. */
const BUFFER = 65_536;

interface Child {
  readonly participant: Participant;
  readonly connection: Connection<GuestMessage, HostMessage>;
}

/** The children that take part: those of child_process.fork and cluster that load the library. */
export class Children implements Participants {
  readonly #children = new Set<Child>();
  readonly #onRequest: () => void;

  /** @param onRequest called when a child asks for a checkpoint */
  constructor(onRequest: () => void) {
    this.#onRequest = onRequest;
    const onChild = ({ process: child }: { process: ChildProcess }) => {
      child.on('internalMessage', (message: { cmd?: unknown }) => {
        if (message.cmd === CONNECT) this.#connect(child);
      });
    };
    subscribe('child_process', onChild as ChannelListener);
  }

  prepare(request: LimitedRequest): Promise<GuestFailure | undefined> {
    const participants = [...this.#children].map(({ participant }) => participant);
    return askAll(participants, 'stop', () => this.#send(request), request.timeoutMs);
  }

  release(message: ReleaseMessage, timeoutMs: number): Promise<GuestFailure | undefined> {
    const participants = [...this.#children].map(({ participant }) => participant);
    const stopping = participants.filter(({ isStopping }) => isStopping);
    return askAll(stopping, 'continue', () => this.#send(message), timeoutMs);
  }

  handles(): GuestHandle[] {
    return handlesOf([...this.#children].map(({ participant }) => participant));
  }

  #send(message: HostMessage): void {
    for (const { connection } of this.#children) connection.send(message);
  }

  #connect(process: ChildProcess): void {
    const [mine, theirs] = native().streamPair(BUFFER);
    native().release(theirs);
    const participant = new Participant(`process ${process.pid}`);
    const connection = new Connection(mine, hostEnd, (message) => {
      if (message) {
        participant.onMessage(message);
        if (message.type === 'checkpoint-me') this.#onRequest();
      } else end();
    });
    const child = { participant, connection };
    const end = () => {
      this.#children.delete(child);
      participant.onEnd();
      connection.close();
    };
    this.#children.add(child);
    process.once('exit', end);
    // Node closes it when the child has it, and must not read from it.
    const socket = new Socket({ fd: theirs, readable: false, writable: true });
    process.send({ cmd: CONNECT }, socket, (error) => {
      if (error) end();
    });
  }
}
