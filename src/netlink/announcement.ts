import { isIPv4 } from 'node:net';
import { native } from '../native/index.ts';
import { addressBytes } from './ip-address.ts';
import { readLinks } from './rtnetlink.ts';

// RFC 826, RFC 5227, RFC 4861 section 7.2.6, and linux/if_ether.h.
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const BROADCAST = Buffer.alloc(6, 0xff);
/** ff02::1, and the Ethernet address for it. */
const ALL_NODES = addressBytes('ff02::1');
const ALL_NODES_ETHERNET = Buffer.from([0x33, 0x33, 0, 0, 0, 1]);
const ICMPV6 = 58;

/**
 * Tells the neighbours of a device that it has an address now, by a gratuitous ARP or an unsolicited
 * neighbour advertisement. Does nothing for a device that is not Ethernet.
 * @throws the system error of socket(2), bind(2) or send(2)
 */
export async function announce(device: string, address: string): Promise<void> {
  const link = (await readLinks()).find(({ name }) => name === device);
  if (!link?.isEthernet) return;
  const fd = native().packetSocket(link.index);
  try {
    const encode = isIPv4(address) ? gratuitousArp : neighbourAdvertisement;
    native().send(fd, encode(link.hardwareAddress, addressBytes(address)));
  } finally {
    native().close(fd);
  }
}

/** A frame with an ARP request of an address for itself. */
export function gratuitousArp(hardware: Buffer, address: Buffer): Buffer {
  const fixed = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const nobody = Buffer.alloc(6);
  return frame(BROADCAST, hardware, ETHERTYPE_ARP, fixed, hardware, address, nobody, address);
}

/** A frame with an unsolicited neighbour advertisement that overrides what neighbours know. */
export function neighbourAdvertisement(hardware: Buffer, address: Buffer): Buffer {
  const advertisement = Buffer.concat([
    Buffer.from([136, 0, 0, 0, 0x20, 0, 0, 0]),
    address,
    Buffer.from([2, 1]),
    hardware,
  ]);
  const addresses = Buffer.concat([address, ALL_NODES]);
  const pseudoHeader = Buffer.from([0, 0, 0, advertisement.length, 0, 0, 0, ICMPV6]);
  advertisement.writeUInt16BE(checksum(Buffer.concat([addresses, pseudoHeader, advertisement])), 2);
  const header = Buffer.from([0x60, 0, 0, 0, 0, advertisement.length, ICMPV6, 255]);
  return frame(ALL_NODES_ETHERNET, hardware, ETHERTYPE_IPV6, header, addresses, advertisement);
}

function frame(to: Buffer, from: Buffer, type: number, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([to, from, Buffer.from([type >> 8, type & 255]), ...content]);
}

/** The checksum of RFC 1071 of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
