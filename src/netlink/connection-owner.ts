import type { Socket } from 'node:net';
import { formatEndpoint, unmapped } from './ip-address.ts';
import { IPPROTO_TCP, inetSockets, openSockDiag, parseInet } from './sock-diag.ts';

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
  using socket = openSockDiag();
  for await (const body of inetSockets(socket, IPPROTO_TCP, 1 << ESTABLISHED)) {
    const found = parseInet(body);
    // A socket that no process has open has no inode, and counts as one of root.
    if (found.name === name && found.inode !== 0) return body.readUInt32LE(UID);
  }
  return undefined;
}

/** An address and port as {@link parseInet} writes them. */
function nameOf(address = '', port = 0): string {
  return formatEndpoint({ host: unmapped(address), port });
}
