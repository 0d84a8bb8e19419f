import { isIP } from 'node:net';
import { CriuError, invalid } from '../../errors.ts';
import type { InetSkEntry } from '../../generated/images/types.ts';
import {
  addressBytes,
  addressText,
  addressTextV6,
  formatEndpoint,
} from '../../netlink/ip-address.ts';

const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const TCP_LISTEN = 10;

/** A socket that is to listen elsewhere. */
export interface ListenEdit {
  /** Where it listens: `0.0.0.0:8080`, `[::]:8080`, or a port alone, on any address. */
  readonly from: string | number;
  /** Where the restored one listens; a port alone keeps the address. */
  readonly to: string | number;
}

/** A socket that listens elsewhere in the new images. */
export interface EditedListener {
  /** Such as `0.0.0.0:8080`. */
  readonly from: string;
  /** Such as `127.0.0.1:9090`. */
  readonly to: string;
}

interface Endpoint {
  readonly address: string | undefined;
  readonly port: number;
}

/** Changes where TCP sockets listen, and where UDP sockets without a peer are bound. */
export class ListenerEdits {
  /** What was changed. */
  readonly edited: EditedListener[] = [];
  readonly #operation: string;
  readonly #edits: { readonly from: Endpoint; readonly to: Endpoint; isUsed: boolean }[];

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
  constructor(operation: string, edits: readonly ListenEdit[]) {
    this.#operation = operation;
    this.#edits = edits.map(({ from, to }) => {
      return { from: endpointOf(operation, from), to: endpointOf(operation, to), isUsed: false };
    });
  }

  /** Changes a socket, if it is one of those. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
  apply(socket: InetSkEntry): void {
    const { src_port: port, src_addr: words = [] } = socket;
    if (!isListening(socket)) return;
    const address = bytesOf(words, socket.family);
    const edit = this.#edits.find(({ from }) => {
      return from.port === port && (!from.address || addressBytes(from.address).equals(address));
    });
    if (edit === undefined) return;
    edit.isUsed = true;
    const from = textOf(address, port);
    if (edit.to.address !== undefined) {
      const bytes = addressBytes(edit.to.address);
      if (bytes.length !== address.length) {
        const why = `a socket that listens on ${from} cannot listen on ${edit.to.address}, which is of another family`;
        throw refused(this.#operation, why);
      }
      socket.src_addr = words.map((word, at) => {
        return 4 * at < bytes.length ? bytes.readUInt32LE(4 * at) : word;
      });
    }
    socket.src_port = edit.to.port;
    const to = textOf(bytesOf(socket.src_addr ?? [], socket.family), socket.src_port);
    this.edited.push({ from, to });
  }

  /** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for what has matched no socket */
  assertUsed(): void {
    for (const { from, isUsed } of this.#edits) {
      if (isUsed) continue;
      const { address: host, port } = from;
      const place = host === undefined ? `port ${port}` : formatEndpoint({ host, port });
      throw refused(this.#operation, `no socket listens on ${place}`);
    }
  }
}

function isListening({ proto, state, dst_port, src_port }: InetSkEntry): boolean {
  if (proto === IPPROTO_TCP) return state === TCP_LISTEN;
  return proto === IPPROTO_UDP && dst_port === 0 && src_port !== 0;
}

/** The bytes of an address, of which the images have words. */
function bytesOf(words: readonly number[], family: number): Buffer {
  const bytes = Buffer.alloc(family === AF_INET6 ? 16 : 4);
  for (let at = 0; at < bytes.length / 4; at++) bytes.writeUInt32LE((words[at] ?? 0) >>> 0, 4 * at);
  return bytes;
}

function textOf(address: Buffer, port: number): string {
  const host = address.length === 4 ? addressText(address) : addressTextV6(address);
  return formatEndpoint({ host, port });
}

/** Parses an address with a port, or a port. */
function endpointOf(operation: string, given: string | number): Endpoint {
  const pattern = /^(?:(?:\[([\da-f:.]+)\]|([\d.]+))?:)?(\d{1,5})$/i;
  const [, six, four, digits] = pattern.exec(String(given)) ?? [];
  const [address, port] = [six ?? four, Number(digits)];
  const isAddress = address === undefined || isIP(address) === (six === undefined ? 4 : 6);
  if (!isAddress || !(port >= 1 && port <= 65535)) {
    throw invalid(operation, 'listen', "ports such as 8080, or '192.0.2.1:8080'", given);
  }
  return { address, port };
}

function refused(operation: string, why: string): CriuError {
  const details = { operation, option: 'listen' };
  return new CriuError('ERR_CRIU_INVALID_ARGUMENT', `${operation}: listen: ${why}`, details);
}
