import { isIP } from 'node:net';
import { parseCidr } from '../../netlink/ip-address.ts';
import { isRecord } from '../../options/check.ts';

/** A network device of a container. */
export interface OfferedLink {
  /** Its name in the container, such as `eth0`. */
  readonly name: string;
  /** `loopback` only if `lo` has addresses besides its own. */
  readonly kind: 'veth' | 'macvlan' | 'loopback';
  /** Its MAC address; undefined for `lo`. */
  readonly hardwareAddress: string | undefined;
  /** The largest packet, in bytes. */
  readonly mtu: number;
  /** Its addresses, as `ADDRESS/PREFIX`. */
  readonly addresses: readonly string[];
}

/** A route of a container, besides those that follow from its addresses. */
export interface OfferedRoute {
  /** `ADDRESS/PREFIX`. */
  readonly destination: string;
  /** The address of the router; undefined if the destination is a neighbour. */
  readonly gateway: string | undefined;
  /** The name of the link. */
  readonly device: string;
  /** The address that packets come from; undefined for the default. */
  readonly source: string | undefined;
  /** Of routes to one destination the one with the lowest metric counts; undefined for the default. */
  readonly metric: number | undefined;
  /** True if the router is a neighbour although no route says so. */
  readonly isOnLink: boolean;
}

/** The network of a container. */
export interface OfferedNetwork {
  readonly links: readonly OfferedLink[];
  readonly routes: readonly OfferedRoute[];
}

/** How many devices and routes of a container an offer may have. */
const MAX_LINKS = 64;
const MAX_ROUTES = 1024;
/** Narrower than what the kernel allows: the names become arguments of commands. */
const LINK_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;
const HARDWARE_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const KINDS: readonly unknown[] = ['veth', 'macvlan', 'loopback'];

/** True for a text that names a network device. */
export function isLinkName(value: unknown): value is string {
  return typeof value === 'string' && LINK_NAME.test(value);
}

/** Checks the network that a peer describes. @throws Error */
export function readOfferedNetwork(value: unknown): OfferedNetwork {
  const { links, routes } = isRecord(value) ? value : {};
  if (!Array.isArray(links) || links.length > MAX_LINKS) throw wrong('links');
  if (!Array.isArray(routes) || routes.length > MAX_ROUTES) throw wrong('routes');
  return { links: links.map(readLink), routes: routes.map(readRoute) };
}

function readLink(value: unknown): OfferedLink {
  if (!isRecord(value)) throw wrong('links');
  const { name, kind, hardwareAddress, mtu, addresses } = value;
  const isLoopback = kind === 'loopback';
  if (!isLinkName(name) || isLoopback !== (name === 'lo')) throw wrong('name of a link');
  if (!KINDS.includes(kind)) throw wrong('kind of a link');
  const isMac = typeof hardwareAddress === 'string' && HARDWARE_ADDRESS.test(hardwareAddress);
  if (isLoopback ? hardwareAddress !== undefined : !isMac) throw wrong('address of a link');
  if (!Number.isInteger(mtu) || Number(mtu) < 68 || Number(mtu) > 65536) throw wrong('mtu');
  if (!Array.isArray(addresses) || !addresses.every(isCidr)) throw wrong('addresses of a link');
  return {
    ...{ name, mtu: Number(mtu), addresses },
    kind: kind as OfferedLink['kind'],
    hardwareAddress: hardwareAddress as string | undefined,
  };
}

function readRoute(value: unknown): OfferedRoute {
  if (!isRecord(value)) throw wrong('routes');
  const { destination, gateway, device, source, metric, isOnLink } = value;
  if (!isCidr(destination) || !isLinkName(device)) throw wrong('destination of a route');
  if (!isAddressOrNone(gateway) || !isAddressOrNone(source)) throw wrong('gateway of a route');
  const isNumber = Number.isInteger(metric) && Number(metric) >= 0 && Number(metric) < 2 ** 32;
  if (metric !== undefined && !isNumber) throw wrong('metric of a route');
  return {
    ...{ destination, gateway, device, source },
    metric: metric as number | undefined,
    isOnLink: isOnLink === true,
  };
}

function isCidr(value: unknown): value is string {
  return typeof value === 'string' && parseCidr(value) !== undefined;
}

function isAddressOrNone(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && isIP(value) !== 0);
}

function wrong(what: string): Error {
  return new Error(`the ${what} in the network of the container is wrong`);
}
