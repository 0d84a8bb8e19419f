import type {
  InetSkEntry,
  NetlinkSkEntry,
  PacketSockEntry,
  SkShutdown,
  UnixSkEntry,
} from '../../generated/images/types.ts';
import { formatEndpoint } from '../../netlink/ip-address.ts';
import { escapedText } from '../../protobuf/escaped-bytes.ts';
import { shownAddress } from '../json/number-formats.ts';
import type {
  InetSocket,
  NetlinkSocket,
  PacketSocket,
  SocketAddress,
  UnixSocket,
} from './described-file.ts';
import type { FileTable } from './file-table.ts';
import { netlinkProtocol, socketName } from './names.ts';

const IPV6 = 10;
const TCP = 6;
/** A flag of unix sockets: outside the tree. Source: CRIU's criu/sk-unix.c. */
const OUTSIDE = 1;

/** What is known of a file, with the line for a person. */
export type WithText<File> = File & { readonly text: string };

export function describeInet(socket: InetSkEntry, { tcp }: FileTable): WithText<InetSocket> {
  const { ino, src_addr, src_port, dst_addr, dst_port, backlog, ifname } = socket;
  const family = socket.family === IPV6 ? 'ipv6' : 'ipv4';
  const protocol = socketName('proto', socket.proto).toLowerCase();
  const state = socketName('state', socket.state);
  const local = addressOf(family, src_addr, src_port);
  const remote = dst_port === 0 ? undefined : addressOf(family, dst_addr, dst_port);
  const queues = tcp.get(ino);
  const ends = remote ? `${textOf(local)} → ${textOf(remote)}` : textOf(local);
  const named = socket.proto === TCP ? ` ${state}` : '';
  return {
    type: 'inet',
    inode: ino,
    family,
    protocol,
    state,
    local,
    remote,
    backlog,
    device: ifname || undefined,
    shutdown: shutdownOf(socket.shutdown),
    bytesReceived: queues?.received,
    bytesUnacknowledged: queues?.unacknowledged,
    text: `${protocol} ${ends}${named}`,
  };
}

export function describeUnix(
  socket: UnixSkEntry,
  id: number,
  { files, users, queues, unixSockets }: FileTable,
): WithText<UnixSocket> {
  const { ino, name, backlog } = socket;
  const socketType = socketName('type', socket.type).toLowerCase();
  const state = socketName('state', socket.state);
  const path = unixPath(name);
  const peer = socket.peer === 0 ? undefined : socket.peer;
  const peerId = peer === undefined ? undefined : unixSockets.get(peer);
  const peerSocket = peerId === undefined ? undefined : files.get(peerId)?.usk;
  const isPeerOutside = peer !== undefined && (!peerSocket || (peerSocket.uflags & OUTSIDE) !== 0);
  const queue = queues.get(id);
  const end =
    peer === undefined ? '' : ` → ${isPeerOutside ? 'outside ' : ''}${peerPath(peer, peerSocket)}`;
  return {
    type: 'unix',
    inode: ino,
    socketType,
    state,
    path,
    backlog,
    peer,
    peerUsers: peerId === undefined ? [] : (users.get(peerId) ?? []),
    isPeerOutside,
    shutdown: shutdownOf(socket.shutdown),
    messagesQueued: queue?.messages ?? 0,
    bytesQueued: queue?.bytes ?? 0,
    text: `unix ${socketType} ${path ?? `socket:[${ino}]`}${end} ${state}`,
  };
}

export function describeNetlink({
  ino,
  protocol,
  portid,
}: NetlinkSkEntry): WithText<NetlinkSocket> {
  const name = netlinkProtocol(protocol);
  return { type: 'netlink', inode: ino, protocol: name, portId: portid, text: `netlink ${name}` };
}

export function describePacket(socket: PacketSockEntry): WithText<PacketSocket> {
  const socketType = socketName('type', socket.type).toLowerCase();
  const protocol = `0x${socket.protocol.toString(16).padStart(4, '0')}`;
  const interfaceIndex = socket.ifindex;
  const text = `packet ${socketType} ${protocol}`;
  return { type: 'packet', socketType, protocol, interfaceIndex, text };
}

function addressOf(
  family: 'ipv4' | 'ipv6',
  words: readonly number[] | undefined,
  port: number,
): SocketAddress {
  const address = words && shownAddress(words.slice(0, family === 'ipv6' ? 4 : 1));
  return { address: address ?? (family === 'ipv6' ? '::' : '0.0.0.0'), port };
}

const textOf = ({ address, port }: SocketAddress) => formatEndpoint({ host: address, port });

/** An abstract name begins with a zero. */
function unixPath(name: Uint8Array): string | undefined {
  const bytes = Buffer.from(name);
  if (bytes.length === 0) return undefined;
  if (bytes[0] === 0) return `@${escapedText(bytes.subarray(1))}`;
  const end = bytes.indexOf(0);
  return escapedText(end < 0 ? bytes : bytes.subarray(0, end));
}

function peerPath(inode: number, peer: UnixSkEntry | undefined): string {
  return (peer && unixPath(peer.name)) ?? `socket:[${inode}]`;
}

function shutdownOf(shutdown: SkShutdown | number | undefined): string | undefined {
  if (shutdown === undefined || shutdown === 'NONE') return undefined;
  return String(shutdown).toLowerCase();
}
