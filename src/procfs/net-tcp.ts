import { type Pid, textOf } from './read.ts';

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The two ends of a TCP connection. */
export interface TcpConnection {
  readonly family: 4 | 6;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Reads the connected TCP sockets of a process's network namespace, by inode. */
export async function readTcpConnections(pid: Pid): Promise<Map<number, TcpConnection>> {
  const connections = new Map<number, TcpConnection>();
  for (const { local, remote, inode } of await readSockets(pid)) {
    if (!remote.endsWith(':0000')) connections.set(inode, parseEndpoints(local, remote));
  }
  return connections;
}

/** The state of a socket that listens, from net/tcp_states.h. */
const LISTEN = 0x0a;

/** Reads the inodes of the sockets that listen on a port in a process's network namespace. */
export async function readTcpListeners(pid: Pid, port: number): Promise<Set<number>> {
  const sockets = await readSockets(pid);
  const listeners = sockets.filter(
    ({ local, state }) => state === LISTEN && parseEndpoint(local).port === port,
  );
  return new Set(listeners.map(({ inode }) => inode));
}

interface TcpSocket {
  readonly local: string;
  readonly remote: string;
  readonly state: number;
  readonly inode: number;
}

async function readSockets(pid: Pid): Promise<TcpSocket[]> {
  const names = ['tcp', 'tcp6'];
  const tables = await Promise.all(names.map((name) => textOf(`/proc/${pid}/net/${name}`, 65_536)));
  return tables.flatMap((table) => {
    const lines = table?.split('\n').slice(1).filter(Boolean) ?? [];
    return lines.map((line) => {
      const [, local = '', remote = '', state = '', , , , , , inode] = line.trim().split(/\s+/);
      return { local, remote, state: Number.parseInt(state, 16), inode: Number(inode) };
    });
  });
}

/**
 * Parses a pair of addresses of /proc/net/tcp or tcp6. An IPv4 address that is mapped into IPv6
 * becomes an IPv4 address, as CRIU treats it.
 */
export function parseEndpoints(local: string, remote: string): TcpConnection {
  const [a, b] = [parseEndpoint(local), parseEndpoint(remote)];
  const isMapped = b.bytes.slice(0, 12).join() === '0,0,0,0,0,0,0,0,0,0,255,255';
  const endpoint = ({ bytes, port }: RawEndpoint): Endpoint => ({
    address: formatAddress(isMapped ? bytes.slice(-4) : bytes),
    port,
  });
  const family = isMapped || b.bytes.length === 4 ? 4 : 6;
  return { family, local: endpoint(a), remote: endpoint(b) };
}

interface RawEndpoint {
  readonly bytes: readonly number[];
  readonly port: number;
}

function parseEndpoint(text: string): RawEndpoint {
  const [digits = '', port = ''] = text.split(':');
  // Each word of 32 bits is in the byte order of this machine.
  const bytes = digits.match(/.{8}/g)?.flatMap(bytesOf) ?? [];
  return { bytes, port: Number.parseInt(port, 16) };
}

function bytesOf(word: string): number[] {
  const bytes = [...Buffer.from(word, 'hex')];
  return isLittleEndian ? bytes.reverse() : bytes;
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function formatAddress(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  ).join(':');
}
