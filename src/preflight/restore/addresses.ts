import type { PreflightFinding } from '../../finding.ts';
import type { InetSkEntry } from '../../generated/images/types.ts';
import { canBind } from '../../netlink/bindable.ts';
import { type BoundSocket, boundSockets, closingSockets } from '../../netlink/bound-sockets.ts';
import { addressText } from '../../netlink/ip-address.ts';
import { eachOf } from '../../procfs/read.ts';
import type { Plain } from '../../protobuf/decode.ts';
import { found } from '../checks/check.ts';
import { findOutsideOwners } from '../outside-owners.ts';
import { isInHostNetwork } from './connections.ts';
import { type DumpedFile, filesOf, type RestoreCheck } from './subject.ts';

const IPV4 = 2;
const TCP = 6;
const PROTOCOLS: Readonly<Record<number, 'tcp' | 'udp'>> = { [TCP]: 'tcp', 17: 'udp' };
/** How long the processes of the host are searched for the owner of a port, in milliseconds. */
const SEARCH_MS = 2000;

interface LocalSocket extends DumpedFile {
  readonly socket: Plain<InetSkEntry>;
  readonly address: string;
  readonly isConnected: boolean;
}

/** Addresses that this host does not have, and ports that are in use. */
export const addresses: RestoreCheck = async (subject) => {
  if (!isInHostNetwork(subject)) return [];
  const { checkpoint, options, cancellation } = subject;
  const sockets = filesOf(checkpoint).flatMap((one): LocalSocket[] => {
    const socket = one.file.isk;
    if (!socket || socket.src_port === 0 || !PROTOCOLS[socket.proto]) return [];
    const isConnected = socket.proto === TCP && socket.dst_port !== 0;
    // A connection that is closed at the restore needs no address.
    if (isConnected && options.tcpClose) return [];
    return [{ ...one, socket, address: addressOf(socket), isConnected }];
  });
  if (sockets.length === 0) return [];
  const missing = await missingAddresses(sockets);
  const bound = await boundSockets().catch(() => []);
  const closing = await closingSockets().catch(() => []);
  const taken = sockets.flatMap((one) => bound.filter((other) => isTaken(one, other)));
  const links = new Set(taken.map(({ inode }) => `socket:[${inode}]`));
  using limit = cancellation.within(SEARCH_MS);
  const { found: owners } = await findOutsideOwners(links, new Set(), 0, limit);
  return sockets.flatMap((one) => {
    if (missing.has(one.address)) return [isMissing(one)];
    const other = bound.find((each) => isTaken(one, each));
    if (other) return [isInUse(one, owners.get(`socket:[${other.inode}]`))];
    // CRIU sets SO_REUSEADDR, but connections that had it not do not share their port either.
    if (one.socket.opts.reuseaddr) return [];
    return closing.some((each) => isTaken(one, each)) ? [isKept(one)] : [];
  });
};

function isMissing({ process, fd, place, socket, address }: LocalSocket): PreflightFinding {
  return found('ADDRESS_MISSING', process, {
    message: `${place} has the address ${address}, port ${socket.src_port}, and this host does not have the address`,
    fd,
    remedy: `Add the address to a network interface before the restore (ip address add ${address} dev lo).`,
  });
}

function isInUse(
  { process, fd, place, socket, address }: LocalSocket,
  owner: { readonly pid: number; readonly name: string } | undefined,
): PreflightFinding {
  const protocol = PROTOCOLS[socket.proto] ?? '';
  const by = owner ? `, in process ${owner.pid} (${owner.name})` : '';
  // Sockets that all allow it share a port, and the kernel does not tell whether another socket does.
  const mayShare = protocol === 'udp' || socket.opts.so_reuseport === true;
  return found('ADDRESS_IN_USE', process, {
    severity: mayShare ? 'warning' : 'error',
    message: `${place} needs ${protocol} port ${socket.src_port} of ${address}, which another socket uses${by}`,
    fd,
    remedy: 'End the program that uses the port, or restore in another network namespace.',
  });
}

function isKept({ process, fd, place, socket, address }: LocalSocket): PreflightFinding {
  return found('ADDRESS_IN_USE', process, {
    severity: 'warning',
    message: `${place} needs tcp port ${socket.src_port} of ${address}, which the kernel may still keep for a closed connection`,
    fd,
    remedy:
      'Restore a minute later. A program that sets SO_REUSEADDR, as Node does, need not wait.',
  });
}

/** True if two sockets cannot both have their port. A connection shares it with a listener. */
function isTaken({ socket, address, isConnected }: LocalSocket, other: BoundSocket): boolean {
  if (isConnected || PROTOCOLS[socket.proto] !== other.protocol) return false;
  if (socket.src_port !== other.port || socket.opts.so_bound_dev) return false;
  if (isV4(address) !== isV4(other.address)) {
    const isOnly = isV4(address) ? other.isOnlyV6 : socket.v6only;
    return [address, other.address].includes('::') && !isOnly;
  }
  return isAny(address) || isAny(other.address) || address === other.address;
}

/** The addresses at which no socket can be bound here. IPv6 listeners are bound without a check. */
async function missingAddresses(sockets: readonly LocalSocket[]): Promise<ReadonlySet<string>> {
  const needed = new Map(
    sockets
      .filter(({ address, isConnected }) => isV4(address) || isConnected)
      .map(({ socket, address }) => [address, socket]),
  );
  const missing = await eachOf(needed, async ([address, { ifname }]) => {
    const scope = ifname ? `%${ifname}` : '';
    return (await canBind(`${address}${scope}`)) ? undefined : address;
  });
  return new Set(missing);
}

/** The local address of a socket; its words have the byte order of this host. */
function addressOf({ family, src_addr: words = [] }: Plain<InetSkEntry>): string {
  const bytes = Buffer.from(Uint32Array.from(words).buffer);
  return addressText(bytes.subarray(0, family === IPV4 ? 4 : 16));
}

const isV4 = (address: string) => address.includes('.');
const isAny = (address: string) => address === '0.0.0.0' || address === '::';
