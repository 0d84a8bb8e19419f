import { parseEndpoints } from '../procfs/net-tcp.ts';
import { linkOfSync, namesInSync, textOfSync } from '../procfs/read.ts';
import type { CreationStacks } from './creation-stacks.ts';
import { isOwnDescriptor } from './own-descriptors.ts';
import type { GuestHandle } from './protocol.ts';

const FDS = '/proc/self/fd';

/** The state of a TCP socket that listens, and the flag of a unix socket that does (__SO_ACCEPTCON). */
const LISTEN = '0A';
const ACCEPTS = 0x10000;

type Kind = Pick<GuestHandle, 'kind' | 'detail'>;

/**
 * What this process has open and a copy may not have, or not alone: listening sockets, connections, files, pipes,
 * terminals and watched files. The standard streams and what belongs to Node or to this library are left out.
 */
export function openHandles(stacks: CreationStacks | undefined): GuestHandle[] {
  const links = namesInSync(FDS).map((name) => ({
    fd: Number(name),
    link: linkOfSync(`${FDS}/${name}`) ?? '',
  }));
  const sockets = links.some(({ link }) => link.startsWith('socket:')) ? readSockets() : new Map();
  const ends = links.map(({ link }) => link);
  return links.flatMap(({ fd, link }) => {
    if (fd <= 2 || isOwnDescriptor(fd) || isInternal(link, ends)) return [];
    const kind = kindOf(link, sockets);
    if (!kind) return [];
    const stack = stacks?.of(fd, link);
    return { ...kind, ...(stack !== undefined && { stack }) };
  });
}

/** True for both ends of a pipe that leads from this process to itself, as Node has one for signals. */
function isInternal(link: string, ends: readonly string[]): boolean {
  return link.startsWith('pipe:') && ends.indexOf(link) !== ends.lastIndexOf(link);
}

function kindOf(link: string, sockets: ReadonlyMap<string, Kind>): Kind | undefined {
  const [, type, inode = ''] = /^(socket|pipe):\[(\d+)\]$/.exec(link) ?? [];
  if (type === 'socket') return sockets.get(inode) ?? { kind: 'socket', detail: link };
  if (type === 'pipe') return { kind: 'pipe', detail: link };
  if (link === 'anon_inode:inotify') return { kind: 'watch', detail: 'watched files' };
  // The event loop, and what was opened to read this list.
  if (!link.startsWith('/') || link.startsWith('/proc/')) return undefined;
  if (/^\/dev\/(pts\/\d+|tty\d*)$/.test(link)) return { kind: 'terminal', detail: link };
  return /^\/dev\/(null|zero|u?random)$/.test(link) ? undefined : { kind: 'file', detail: link };
}

/** The sockets of this network namespace, by inode. */
function readSockets(): Map<string, Kind> {
  const internet = [
    ...['tcp', 'tcp6'].flatMap((table) => rowsOf(table).map((row) => internetSocket('TCP', row))),
    ...['udp', 'udp6'].flatMap((table) => rowsOf(table).map((row) => internetSocket('UDP', row))),
  ];
  return new Map([...internet, ...rowsOf('unix').map(unixSocket)]);
}

function rowsOf(table: string): string[][] {
  const lines = textOfSync(`/proc/self/net/${table}`)?.split('\n').slice(1) ?? [];
  return lines.filter(Boolean).map((line) => line.trim().split(/\s+/));
}

function internetSocket(protocol: 'TCP' | 'UDP', row: readonly string[]): [string, Kind] {
  const [, localText = '', remoteText = '', state, , , , , , inode = ''] = row;
  const { local, remote } = parseEndpoints(localText, remoteText);
  const text = ({ address, port }: { address: string; port: number }) =>
    `${address.includes(':') ? `[${address}]` : address}:${port}`;
  if (protocol === 'TCP' && state === LISTEN) {
    return [inode, { kind: 'listener', detail: `TCP ${text(local)}` }];
  }
  const isConnected = remote.port !== 0;
  const kind = isConnected ? 'connection' : protocol === 'UDP' ? 'datagrams' : 'socket';
  const peer = isConnected ? ` to ${text(remote)}` : '';
  return [inode, { kind, detail: `${protocol} ${text(local)}${peer}` }];
}

function unixSocket(row: readonly string[]): [string, Kind] {
  const [, , , flags = '', , , inode = '', path] = row;
  const isListener = (Number.parseInt(flags, 16) & ACCEPTS) !== 0;
  const detail = path === undefined ? 'a unix socket' : `the unix socket ${path}`;
  return [inode, { kind: isListener ? 'listener' : 'connection', detail }];
}
