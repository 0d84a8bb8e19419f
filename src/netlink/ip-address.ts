import { BlockList, isIP, isIPv4 } from 'node:net';

const MAPPED = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** An address and the length of its network prefix, such as 192.0.2.9 and 32. */
export interface Cidr {
  readonly address: string;
  readonly prefix: number;
}

/** Parses `ADDRESS/PREFIX`; undefined if the text is something else. IPv6 gets its canonical form. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits = ''] = /^([\d.a-fA-F:]+)\/(\d{1,3})$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (isIP(address) === 0 || prefix > maxPrefix(address)) return undefined;
  const canonical = addressText(addressBytes(address));
  return isIP(canonical) === isIP(address) ? { address: canonical, prefix } : undefined;
}

/** The text of an address with its prefix. */
export function formatCidr({ address, prefix }: Cidr): string {
  return `${address}/${prefix}`;
}

/** The prefix length of a network that consists of the address alone: 32 or 128. */
export function maxPrefix(address: string): number {
  return isIPv4(address) ? 32 : 128;
}

/** True if a network contains an address. */
export function contains(network: Cidr, address: string): boolean {
  const list = new BlockList();
  list.addSubnet(network.address, network.prefix, familyOf(network.address));
  return familyOf(address) === familyOf(network.address) && list.check(address, familyOf(address));
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL writes an IPv4 address that is embedded in an IPv6 address in hexadecimal, too.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = text.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** The text of an IP address of 4 or 16 bytes. An IPv4 address that is mapped into IPv6 is one of IPv4. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.subarray(0, MAPPED.length).equals(MAPPED)) return bytes.subarray(-4).join('.');
  return addressTextV6(bytes);
}

/** An address as Node writes it; one of IPv4 that is mapped into IPv6 as one of IPv4. */
export function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** The text of an IPv6 address. */
export function addressTextV6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** An address and a port as one text: an IPv6 address stands in brackets. */
export function formatEndpoint({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
