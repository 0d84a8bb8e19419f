import { addressText } from './ip-address.ts';
import { parseAttributes } from './message.ts';
import { AF_INET6, IPPROTO_TCP, inetSockets, openSockDiag } from './sock-diag.ts';
import { NetlinkError } from './socket.ts';

/** A socket that has a port, as a listener or for datagrams. */
export interface BoundSocket {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0` and `::` stand for all addresses. */
  readonly address: string;
  readonly port: number;
  /** It is bound to `::`, and does not receive what is sent to IPv4 addresses. */
  readonly isOnlyV6: boolean;
  readonly inode: number;
}

const IPPROTO_UDP = 17;
/** States of TCP; UDP sockets are closed, or established if they are connected. */
const LISTEN = 10;
/** FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK and CLOSING: no process has the socket any more. */
const CLOSING_STATES = (1 << 4) | (1 << 5) | (1 << 6) | (1 << 9) | (1 << 11);
const INET_DIAG_SKV6ONLY = 11;
/** Size of struct inet_diag_msg, in bytes. */
const MESSAGE_SIZE = 72;

/**
 * Lists the TCP listeners and the UDP sockets of this network namespace.
 * @throws NetlinkError, or the system error of socket(2)
 */
export async function boundSockets(): Promise<BoundSocket[]> {
  const sockets: BoundSocket[] = [];
  using socket = openSockDiag();
  for await (const body of inetSockets(socket, IPPROTO_TCP, 1 << LISTEN)) {
    sockets.push({ protocol: 'tcp', ...parse(body) });
  }
  for await (const body of inetSockets(socket, IPPROTO_UDP)) {
    sockets.push({ protocol: 'udp', ...parse(body) });
  }
  return sockets;
}

/**
 * Lists the ports of TCP connections of this network namespace that are closed, and which the kernel keeps
 * up to a minute.
 * @throws NetlinkError, or the system error of socket(2)
 */
export async function closingSockets(): Promise<BoundSocket[]> {
  const sockets: BoundSocket[] = [];
  using socket = openSockDiag();
  for await (const body of inetSockets(socket, IPPROTO_TCP, CLOSING_STATES)) {
    sockets.push({ protocol: 'tcp', ...parse(body) });
  }
  return sockets;
}

/** The address that a socket is bound to. */
export interface LocalAddress {
  readonly address: string;
  /** True for a connected TCP socket. */
  readonly isConnected: boolean;
}

/** Reads the local addresses of the TCP and UDP sockets of this network namespace, by inode. */
export async function readLocalAddresses(): Promise<Map<number, LocalAddress>> {
  const addresses = new Map<number, LocalAddress>();
  using socket = openSockDiag();
  for (const protocol of [IPPROTO_TCP, IPPROTO_UDP]) {
    try {
      for await (const body of inetSockets(socket, protocol)) {
        const { address, inode } = parse(body);
        const isConnected = protocol === IPPROTO_TCP && body.readUInt16BE(6) !== 0;
        addresses.set(inode, { address, isConnected });
      }
    } catch (error) {
      // The kernel has no sock_diag for this protocol.
      if (!(error instanceof NetlinkError)) throw error;
    }
  }
  return addresses;
}

/** Parses struct inet_diag_msg and its attributes. */
function parse(body: Buffer): Omit<BoundSocket, 'protocol'> {
  const attributes = new Map(parseAttributes(body.subarray(MESSAGE_SIZE)));
  return {
    address: addressText(body.subarray(8, body.readUInt8(0) === AF_INET6 ? 24 : 12)),
    port: body.readUInt16BE(4),
    isOnlyV6: attributes.get(INET_DIAG_SKV6ONLY)?.readUInt8(0) === 1,
    inode: body.readUInt32LE(68),
  };
}
