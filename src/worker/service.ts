import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError, type CriuErrorCode, type ExitStatus } from '../errors.ts';
import { native, type Packet } from '../native/index.ts';
import type { CriuConnection, Remains } from './connection.ts';
import { PacketSocket } from './packet-socket.ts';

/** How long to wait for a place in the queue of the service's socket, in milliseconds. */
const QUEUE_LIMIT_MS = 5000;
const POLL_MS = 5;

/** A connection to a running `criu service`, which forks a criu process for it. */
export class ServiceConnection implements CriuConnection {
  readonly pid = undefined;
  readonly program = undefined;
  readonly killed = false;
  isHalfRestored: (() => boolean) | undefined;
  /** Resolves when either side has closed the connection. The exit status of criu is unknown. */
  readonly exited: Promise<ExitStatus>;
  readonly #socket: PacketSocket;
  #disconnected = false;
  #over!: (status: ExitStatus) => void;

  /** @throws CriuError if there is no service at that socket, or this process may not use it */
  static async open(operation: string, path: string): Promise<ServiceConnection> {
    return new ServiceConnection(new PacketSocket(await connect(operation, path)));
  }

  private constructor(socket: PacketSocket) {
    this.#socket = socket;
    this.exited = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  send(packet: Uint8Array): void {
    this.#socket.send(packet);
  }

  async receive(): Promise<Packet | undefined> {
    const packet = await this.#socket.receive();
    if (!packet) this.#over(UNKNOWN);
    return packet;
  }

  /** Closes the connection: criu then fails and rolls back at its next notification. */
  kill(): void {
    this.#disconnected = true;
    this.close();
  }

  close(): void {
    this.#socket.close();
    this.#over(UNKNOWN);
  }

  async end(): Promise<Remains> {
    this.close();
    return this.remains;
  }

  get remains(): Remains {
    return {
      exit: undefined,
      stderr: undefined,
      isService: true,
      disconnected: this.#disconnected,
    };
  }
}

const UNKNOWN: ExitStatus = { code: null, signal: null };

const codes: Readonly<Record<string, CriuErrorCode>> = {
  ENOENT: 'ERR_CRIU_NOT_FOUND',
  ECONNREFUSED: 'ERR_CRIU_NOT_FOUND',
  EACCES: 'ERR_CRIU_NO_PERMISSION',
  EPROTOTYPE: 'ERR_CRIU_NOT_CRIU',
};

async function connect(operation: string, path: string): Promise<number> {
  for (let waited = 0; ; waited += POLL_MS) {
    try {
      return native().connect(path);
    } catch (error) {
      const { code = '', errno, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' && waited < QUEUE_LIMIT_MS) {
        await sleep(POLL_MS);
        continue;
      }
      throw new CriuError(
        codes[code] ?? 'ERR_CRIU_SYSTEM',
        `${operation}: cannot connect to the criu service at ${path}: ${message}`,
        { operation, errno, cause: error },
      );
    }
  }
}
