import { isIPv4 } from 'node:net';
import { addressBytes, addressText, type Cidr, maxPrefix } from './ip-address.ts';
import {
  encodeAttribute,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  parseAttributes,
} from './message.ts';
import { NetlinkError, NetlinkSocket } from './socket.ts';

/** A network device. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly isEthernet: boolean;
  /** The link-layer address. */
  readonly hardwareAddress: Buffer;
}

/** An address of a network device. */
export interface InterfaceAddress extends Cidr {
  readonly device: string;
  readonly label: string | undefined;
  /** True for an IPv4 address that the kernel deletes with the first address of its subnet. */
  readonly isSecondary: boolean;
  /** The kernel's message about it, with which {@link addAddress} creates it again as it was. */
  readonly message: Buffer;
}

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h and linux/if_arp.h.
const NETLINK_ROUTE = 0;
const GET_LINK = 18;
const NEW_ADDRESS = 20;
const DELETE_ADDRESS = 21;
const GET_ADDRESS = 22;
const GET_ROUTE = 26;
const NLM_F_CREATE_EXCLUSIVELY = 0x600;
const ARPHRD_ETHER = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_CACHEINFO = 6;
const IFA_F_SECONDARY = 0x01;
const IFA_F_NODAD = 0x02;
const RTA_DST = 1;
const RTA_OIF = 4;
const AF_INET = 2;
const AF_INET6 = 10;
const SCOPE_HOST = 254;
const FOREVER = 0xffffffff;
/** Sizes of struct ifinfomsg, ifaddrmsg and rtmsg, in bytes. */
const LINK_HEADER = 16;
const ADDRESS_HEADER = 8;
const ROUTE_HEADER = 12;
const EEXIST = 17;
const ENODEV = 19;
const EADDRNOTAVAIL = 99;

/** Lists the network devices of this network namespace. */
export async function readLinks(): Promise<Link[]> {
  const links: Link[] = [];
  using socket = openSocket();
  const request = encodeMessage(GET_LINK, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(LINK_HEADER));
  for await (const body of socket.dump(request)) {
    const attributes = new Map(parseAttributes(body.subarray(LINK_HEADER)));
    links.push({
      index: body.readInt32LE(4),
      name: textOf(attributes.get(IFLA_IFNAME)) ?? '',
      isEthernet: body.readUInt16LE(2) === ARPHRD_ETHER,
      hardwareAddress: Buffer.from(attributes.get(IFLA_ADDRESS) ?? []),
    });
  }
  return links;
}

/** Lists the IPv4 and IPv6 addresses of this network namespace. */
export async function readAddresses(): Promise<InterfaceAddress[]> {
  const names = new Map((await readLinks()).map(({ index, name }) => [index, name]));
  const addresses: InterfaceAddress[] = [];
  using socket = openSocket();
  const header = Buffer.alloc(ADDRESS_HEADER);
  for await (const body of socket.dump(
    encodeMessage(GET_ADDRESS, NLM_F_REQUEST | NLM_F_DUMP, header),
  )) {
    const attributes = new Map(parseAttributes(body.subarray(ADDRESS_HEADER)));
    const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
    const device = names.get(body.readUInt32LE(4));
    if (![AF_INET, AF_INET6].includes(body.readUInt8(0)) || !address || !device) continue;
    addresses.push({
      ...{ address: addressText(address), prefix: body.readUInt8(1), device },
      label: textOf(attributes.get(IFA_LABEL)),
      isSecondary: (body.readUInt8(2) & IFA_F_SECONDARY) !== 0,
      message: Buffer.from(body),
    });
  }
  return addresses;
}

/** The message for an address that a device is to have. */
export function addressMessage({ address, prefix }: Cidr): Buffer {
  return encodeAddress({ address, prefix }, 0);
}

/**
 * The message for an address that sockets can be bound to, and that the kernel does not choose as the
 * source of packets by itself.
 * @param label the label, which only IPv4 addresses have
 */
export function bindableMessage(address: string, label: string): Buffer {
  const network = { address, prefix: maxPrefix(address) };
  if (isIPv4(address)) return encodeAddress(network, SCOPE_HOST, encodeAttribute(IFA_LABEL, label));
  // An address is deprecated once its preferred lifetime, the first number, is over.
  const lifetimes = Buffer.from(new Uint32Array([0, FOREVER, 0, 0]).buffer);
  return encodeAddress(network, 0, encodeAttribute(IFA_CACHEINFO, lifetimes));
}

function encodeAddress({ address, prefix }: Cidr, scope: number, ...more: Buffer[]): Buffer {
  const bytes = addressBytes(address);
  return Buffer.concat([
    Buffer.from([isIPv4(address) ? AF_INET : AF_INET6, prefix, 0, scope, 0, 0, 0, 0]),
    encodeAttribute(IFA_LOCAL, bytes),
    encodeAttribute(IFA_ADDRESS, bytes),
    ...more,
  ]);
}

/**
 * Adds an address to a device, without duplicate address detection. Idempotent.
 * @throws NetlinkError
 */
export async function addAddress(device: string, message: Buffer): Promise<void> {
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE_EXCLUSIVELY;
  const body = await withDevice(device, message);
  body.writeUInt8(body.readUInt8(2) | (body.readUInt8(0) === AF_INET6 ? IFA_F_NODAD : 0), 2);
  await execute(encodeMessage(NEW_ADDRESS, flags, body), [EEXIST]);
}

/**
 * Deletes an address of a device. Idempotent.
 * @throws NetlinkError
 */
export async function deleteAddress(device: string, message: Buffer): Promise<void> {
  const body = await withDevice(device, message).catch((error: Error) => {
    if (error instanceof NetlinkError && error.errno === ENODEV) return undefined;
    throw error;
  });
  if (body === undefined) return;
  await execute(encodeMessage(DELETE_ADDRESS, NLM_F_REQUEST | NLM_F_ACK, body), [EADDRNOTAVAIL]);
}

/** The device by which packets to an address leave; undefined if there is no route. */
export async function routeDevice(address: string): Promise<string | undefined> {
  const header = Buffer.alloc(ROUTE_HEADER);
  header.writeUInt8(isIPv4(address) ? AF_INET : AF_INET6, 0);
  const bytes = addressBytes(address);
  header.writeUInt8(8 * bytes.length, 1);
  using socket = openSocket();
  try {
    const request = encodeMessage(
      GET_ROUTE,
      NLM_F_REQUEST,
      header,
      encodeAttribute(RTA_DST, bytes),
    );
    const body = await socket.get(request);
    const index = new Map(parseAttributes(body.subarray(ROUTE_HEADER)))
      .get(RTA_OIF)
      ?.readInt32LE(0);
    return (await readLinks()).find((link) => link.index === index)?.name;
  } catch (error) {
    if (error instanceof NetlinkError) return undefined;
    throw error;
  }
}

/** A copy of a message with the index of a device, which changes when the host is restarted. */
async function withDevice(device: string, message: Buffer): Promise<Buffer> {
  const link = (await readLinks()).find(({ name }) => name === device);
  if (!link) throw new NetlinkError(`rtnetlink for device ${device}`, ENODEV);
  const body = Buffer.from(message);
  body.writeUInt32LE(link.index, 4);
  return body;
}

async function execute(request: Buffer, ignored: readonly number[]): Promise<void> {
  using socket = openSocket();
  await socket.execute(request).catch((error: Error) => {
    if (!(error instanceof NetlinkError && ignored.includes(error.errno))) throw error;
  });
}

function openSocket(): NetlinkSocket {
  return new NetlinkSocket('rtnetlink', NETLINK_ROUTE, -1);
}

function textOf(value: Buffer | undefined): string | undefined {
  return value?.toString('utf8', 0, value.length - 1);
}
