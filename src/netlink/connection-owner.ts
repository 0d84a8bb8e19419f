import type { Socket } from 'node:net';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  inetRequest,
  NETLINK_SOCK_DIAG,
  parseInet,
} from './sock-diag.ts';
import { NetlinkSocket } from './socket.ts';

const ESTABLISHED = 1;
/** Where struct inet_diag_msg has the user. */
const UID = 64;

/**
 * The user whose process has opened the other end of a TCP connection within this network namespace;
 * undefined if no process has it open any more.
 * @throws NetlinkError, or the system error of socket(2)
 */
export async function ownerOfPeer(
  end: Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>,
): Promise<number | undefined> {
  const { localAddress, localPort, remoteAddress, remotePort } = end;
  const name = `${nameOf(remoteAddress, remotePort)} to ${nameOf(localAddress, localPort)}`;
  using socket = new NetlinkSocket('sock_diag', NETLINK_SOCK_DIAG, -1);
  for (const family of [AF_INET, AF_INET6]) {
    for await (const body of socket.dump(inetRequest(family, IPPROTO_TCP, 1 << ESTABLISHED))) {
      const found = parseInet(body);
      // A socket that no process has open has no inode, and counts as one of root.
      if (found.name === name && found.inode !== 0) return body.readUInt32LE(UID);
    }
  }
  return undefined;
}

/** An address and port as {@link parseInet} writes them. */
function nameOf(address = '', port = 0): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}
