import { native } from '../native/index.ts';

/** What the kernel tells of a socket by sock_diag. */
export interface SocketFacts {
  readonly inode: number;
  readonly family: 'unix' | 'inet';
  /** Of a unix socket: stream, dgram or seqpacket; of an inet socket: its protocol's number. */
  readonly type: string;
  /** As tcp(7) has it; unix sockets have the same numbers. */
  readonly state: number;
  /** The address or addresses, or the name; empty if it has none. */
  readonly name: string;
  /** Of a unix socket: the inode of the other end, 0 if that is gone or was not accepted yet. */
  readonly peer?: number | undefined;
  /** Of a listening unix socket: the clients that it has not accepted yet, 0 for those gone. */
  readonly waiting: readonly number[];
  /** Of a listening TCP socket: how many connections it has not accepted yet. */
  readonly queued: number;
}

// linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h and linux/inet_diag.h.
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const REQUEST_DUMP = 0x301;
const HEADER = 16;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
/** Names, peers, clients that wait to be accepted. */
const UNIX_SHOW = 0x01 | 0x04 | 0x08;
const UNIX_NAME = 0;
const UNIX_PEER = 2;
const UNIX_ICONS = 3;

const unixTypes: Readonly<Record<number, string>> = { 1: 'stream', 2: 'dgram', 5: 'seqpacket' };

/**
 * Lists the unix and TCP sockets of a network namespace: an open descriptor of it, or -1 for the
 * one of this process. Throws what the kernel refuses with.
 */
export async function socketsIn(netns: number): Promise<SocketFacts[]> {
  const fd = native().netlink(NETLINK_SOCK_DIAG, netns);
  try {
    const sockets = await dump(fd, unixRequest(), parseUnix);
    for (const family of [AF_INET, AF_INET6]) {
      sockets.push(...(await dump(fd, tcpRequest(family), parseInet)));
    }
    return sockets;
  } finally {
    native().close(fd);
  }
}

/** struct unix_diag_req */
function unixRequest(): Buffer {
  const request = Buffer.alloc(24);
  request.writeUInt8(AF_UNIX, 0);
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(UNIX_SHOW, 12);
  return message(request);
}

/** struct inet_diag_req_v2 */
function tcpRequest(family: number): Buffer {
  const request = Buffer.alloc(56);
  request.writeUInt8(family, 0);
  request.writeUInt8(IPPROTO_TCP, 1);
  request.writeUInt32LE(0xffffffff, 4);
  return message(request);
}

/** struct nlmsghdr, then the body */
function message(body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(HEADER + body.length, 0);
  header.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  header.writeUInt16LE(REQUEST_DUMP, 6);
  return Buffer.concat([header, body]);
}

/** Sends a request and reads the parts of the answer until its end. */
async function dump(
  fd: number,
  request: Buffer,
  parse: (body: Buffer) => SocketFacts,
): Promise<SocketFacts[]> {
  native().send(fd, request);
  const sockets: SocketFacts[] = [];
  for (;;) {
    const packet = native().receive(fd);
    if (packet === undefined) return sockets;
    if (packet === null) {
      await readable(fd);
      continue;
    }
    if (parseMessages(Buffer.from(packet.data), (body) => sockets.push(parse(body))))
      return sockets;
    // There may be very many.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Hands on each message of a packet; whether it was the last packet. */
export function parseMessages(packet: Buffer, use: (body: Buffer) => void): boolean {
  for (let at = 0; at + HEADER <= packet.length; ) {
    const length = packet.readUInt32LE(at);
    const type = packet.readUInt16LE(at + 4);
    if (type === NLMSG_DONE || length < HEADER) return true;
    if (type === NLMSG_ERROR) {
      throw new Error(`sock_diag answers with error ${-packet.readInt32LE(at + HEADER)}`);
    }
    use(packet.subarray(at + HEADER, at + length));
    at += aligned(length);
  }
  return false;
}

function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = native().watch(fd, () => {
      watch.close();
      resolve();
    });
  });
}

/** struct unix_diag_msg, then attributes */
export function parseUnix(body: Buffer): SocketFacts {
  let name = '';
  let peer: number | undefined;
  let waiting: number[] = [];
  for (const [type, value] of attributes(body.subarray(16))) {
    if (type === UNIX_NAME) name = value.toString('utf8').replace(/^\0/, '@').replace(/\0$/, '');
    if (type === UNIX_PEER) peer = value.readUInt32LE(0);
    if (type === UNIX_ICONS) {
      waiting = Array.from({ length: value.length / 4 }, (_, i) => value.readUInt32LE(4 * i));
    }
  }
  const type = unixTypes[body.readUInt8(1)] ?? 'unknown';
  const state = body.readUInt8(2);
  const inode = body.readUInt32LE(4);
  return { inode, family: 'unix', type, state, name, peer, waiting, queued: 0 };
}

/** struct inet_diag_msg */
export function parseInet(body: Buffer): SocketFacts {
  const isV6 = body.readUInt8(0) === AF_INET6;
  const address = (at: number, port: number) => {
    const number = body.readUInt16BE(port);
    if (!isV6) return `${body.subarray(at, at + 4).join('.')}:${number}`;
    const groups = Array.from({ length: 8 }, (_, i) => body.readUInt16BE(at + 2 * i).toString(16));
    return `[${groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::')}]:${number}`;
  };
  const state = body.readUInt8(1);
  const near = address(8, 4);
  const far = address(24, 6);
  return {
    inode: body.readUInt32LE(68),
    family: 'inet',
    type: 'tcp',
    state,
    name: far.endsWith(':0') ? near : `${near} to ${far}`,
    waiting: [],
    queued: body.readUInt32LE(56),
  };
}

/** struct nlattr */
function* attributes(bytes: Buffer): Generator<readonly [number, Buffer]> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) return;
    yield [bytes.readUInt16LE(at + 2), bytes.subarray(at + 4, at + length)];
    at += aligned(length);
  }
}

const aligned = (length: number) => (length + 3) & ~3;
