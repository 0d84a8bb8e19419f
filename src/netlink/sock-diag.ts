import { addressTextV6 } from './ip-address.ts';
import { encodeMessage, NLM_F_DUMP, NLM_F_REQUEST, parseAttributes } from './message.ts';
import { NetlinkSocket } from './socket.ts';

/** What the kernel reports of a socket by sock_diag(7). */
export interface SocketFacts {
  readonly inode: number;
  readonly family: 'unix' | 'inet';
  /** Of a unix socket: stream, dgram or seqpacket; of an inet socket: tcp. */
  readonly type: string;
  /** A state of TCP, such as 1 for established and 10 for listening; unix sockets share the numbers. */
  readonly state: number;
  /** The address or addresses, or the name; empty without either. */
  readonly name: string;
  /** Of a unix socket: the inode of its peer, 0 if the peer is gone or not yet accepted. */
  readonly peer?: number | undefined;
  /** Of a listening unix socket: the inodes of clients that it has not accepted yet, 0 for those gone. */
  readonly waiting: readonly number[];
  /** Of a listening TCP socket: how many connections it has not accepted yet. */
  readonly queued: number;
  /** Of a unix socket that does not listen: bytes of kernel memory with data that it has sent and nobody has read. */
  readonly unread?: number;
}

// linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h and linux/inet_diag.h.
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_UNIX = 1;
const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_TCP = 6;
/** Names, peers, clients that wait to be accepted, and lengths of queues. */
const UNIX_SHOW = 0x01 | 0x04 | 0x08 | 0x10;
const UNIX_NAME = 0;
const UNIX_PEER = 2;
const UNIX_ICONS = 3;
const UNIX_QUEUES = 4;
/** Size of struct unix_diag_msg, in bytes. */
const UNIX_MESSAGE_SIZE = 16;

const unixTypes: Readonly<Record<number, string>> = { 1: 'stream', 2: 'dgram', 5: 'seqpacket' };

/**
 * Lists the unix and TCP sockets of a network namespace.
 * @param netns a descriptor of the network namespace, or -1 for the namespace of this process
 * @throws NetlinkError, or the system error of socket(2) or setns(2)
 */
export async function socketsIn(netns: number): Promise<SocketFacts[]> {
  const sockets: SocketFacts[] = [];
  using socket = openSockDiag(netns);
  for await (const body of socket.dump(unixRequest())) sockets.push(parseUnix(body));
  for await (const body of inetSockets(socket, IPPROTO_TCP)) sockets.push(parseInet(body));
  return sockets;
}

/**
 * Opens a socket for sock_diag(7).
 * @param netns a descriptor of the network namespace, or -1 for the namespace of this process
 * @throws the system error of socket(2) or setns(2)
 */
export function openSockDiag(netns = -1): NetlinkSocket {
  return new NetlinkSocket('sock_diag', NETLINK_SOCK_DIAG, netns);
}

/**
 * Lists the IPv4 and then the IPv6 sockets of a protocol, each as struct inet_diag_msg and attributes.
 * @param states a bit for each state whose sockets are wanted; default all
 * @throws NetlinkError
 */
export async function* inetSockets(
  socket: NetlinkSocket,
  protocol: number,
  states?: number,
): AsyncGenerator<Buffer> {
  for (const family of [AF_INET, AF_INET6]) {
    yield* socket.dump(inetRequest(family, protocol, states));
  }
}

/** struct unix_diag_req */
function unixRequest(): Buffer {
  const request = Buffer.alloc(24);
  request.writeUInt8(AF_UNIX, 0);
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(UNIX_SHOW, 12);
  return encodeMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, request);
}

/**
 * struct inet_diag_req_v2
 * @param states a bit for each state whose sockets are wanted
 */
function inetRequest(family: number, protocol: number, states = 0xffffffff): Buffer {
  const request = Buffer.alloc(56);
  request.writeUInt8(family, 0);
  request.writeUInt8(protocol, 1);
  request.writeUInt32LE(states, 4);
  return encodeMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, request);
}

/** Parses struct unix_diag_msg and its attributes. */
export function parseUnix(body: Buffer): SocketFacts {
  let name = '';
  let peer: number | undefined;
  let waiting: number[] = [];
  let unread = 0;
  for (const [type, value] of parseAttributes(body.subarray(UNIX_MESSAGE_SIZE))) {
    // A name in the abstract namespace starts with a zero byte; `@` stands for it, as in ss(8).
    if (type === UNIX_NAME) name = value.toString('utf8').replace(/^\0/, '@').replace(/\0$/, '');
    if (type === UNIX_PEER) peer = value.readUInt32LE(0);
    if (type === UNIX_ICONS) {
      waiting = Array.from({ length: value.length / 4 }, (_, i) => value.readUInt32LE(4 * i));
    }
    // struct unix_diag_rqlen: the queue for reading, and that for writing.
    if (type === UNIX_QUEUES) unread = value.readUInt32LE(4);
  }
  const type = unixTypes[body.readUInt8(1)] ?? 'unknown';
  const state = body.readUInt8(2);
  const inode = body.readUInt32LE(4);
  return { inode, family: 'unix', type, state, name, peer, waiting, queued: 0, unread };
}

/** Parses struct inet_diag_msg. */
export function parseInet(body: Buffer): SocketFacts {
  const isV6 = body.readUInt8(0) === AF_INET6;
  const address = (at: number, port: number) => {
    const number = body.readUInt16BE(port);
    if (!isV6) return `${body.subarray(at, at + 4).join('.')}:${number}`;
    return `[${addressTextV6(body.subarray(at, at + 16))}]:${number}`;
  };
  const local = address(8, 4);
  const remote = address(24, 6);
  return {
    inode: body.readUInt32LE(68),
    family: 'inet',
    type: 'tcp',
    state: body.readUInt8(1),
    name: remote.endsWith(':0') ? local : `${local} to ${remote}`,
    waiting: [],
    queued: body.readUInt32LE(56),
  };
}
