import { setImmediate as nextTurn } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { native } from '../native/index.ts';
import { type NetlinkMessage, NLMSG_DONE, NLMSG_ERROR, parseMessages } from './message.ts';

const EPIPE = 32;

/** The kernel refused a request. */
export class NetlinkError extends Error {
  /** Positive, as in errno(3). */
  readonly errno: number;

  constructor(label: string, errno: number) {
    super(`${label} failed with error ${errno} (${getSystemErrorName(-errno)})`);
    this.errno = errno;
  }
}

/** A netlink socket in a network namespace. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  /** The name of the protocol in errors. */
  readonly #label: string;

  /**
   * @param netns a descriptor of the network namespace, or -1 for the namespace of this process
   * @throws the system error of socket(2) or setns(2)
   */
  constructor(label: string, protocol: number, netns: number) {
    this.#label = label;
    this.#fd = native().netlink(protocol, netns);
  }

  /**
   * Sends a request with NLM_F_DUMP, and yields the messages of the answer.
   * @throws NetlinkError
   */
  async *dump(request: Buffer): AsyncGenerator<Buffer> {
    for await (const messages of this.#answerTo(request)) {
      for (const { type, body } of messages) {
        if (type === NLMSG_DONE) return;
        if (type === NLMSG_ERROR) throw new NetlinkError(this.#label, errnoIn(body));
        yield body;
      }
      // There may be many packets: let the event loop do other work between two of them.
      await nextTurn();
    }
  }

  /**
   * Sends a request that is answered with one message, and returns its body.
   * @throws NetlinkError
   */
  async get(request: Buffer): Promise<Buffer> {
    for await (const [answer] of this.#answerTo(request)) {
      if (answer === undefined) continue;
      if (answer.type === NLMSG_ERROR) throw new NetlinkError(this.#label, errnoIn(answer.body));
      return answer.body;
    }
    throw new NetlinkError(this.#label, EPIPE);
  }

  /**
   * Sends a request with NLM_F_ACK, and waits for its acknowledgement.
   * @throws NetlinkError
   */
  async execute(request: Buffer): Promise<void> {
    for await (const messages of this.#answerTo(request)) {
      const answer = messages.find(({ type }) => type === NLMSG_ERROR);
      if (!answer) continue;
      // The acknowledgement is an error message with the number 0.
      const errno = errnoIn(answer.body);
      if (errno !== 0) throw new NetlinkError(this.#label, errno);
      return;
    }
  }

  async *#answerTo(request: Buffer): AsyncGenerator<NetlinkMessage[]> {
    native().send(this.#fd, request);
    for (;;) {
      const packet = native().receive(this.#fd);
      if (packet === undefined) return;
      if (packet === null) await readable(this.#fd);
      else yield [...parseMessages(Buffer.from(packet.data))];
    }
  }

  [Symbol.dispose](): void {
    native().close(this.#fd);
  }
}

/** Reads the number of struct nlmsgerr, which is negative there. */
function errnoIn(body: Buffer): number {
  return Math.abs(body.readInt32LE(0));
}

function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = native().watch(fd, () => {
      watch.close();
      resolve();
    });
  });
}
