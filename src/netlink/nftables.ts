import { native } from '../native/index.ts';

// linux/netlink.h, linux/netfilter/nfnetlink.h and linux/netfilter/nf_tables.h.
const NETLINK_NETFILTER = 12;
const SUBSYSTEM_NFTABLES = 10;
const GET_TABLE = (SUBSYSTEM_NFTABLES << 8) | 1;
const DELETE_TABLE = (SUBSYSTEM_NFTABLES << 8) | 2;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const REQUEST = 0x1;
const REQUEST_ACK = 0x5;
const REQUEST_DUMP = 0x301;
const FAMILY_INET = 1;
const TABLE_NAME = 1;
/** struct nlmsghdr */
const HEADER = 16;
/** struct nfgenmsg */
const SUBHEADER = 4;
const ENOENT = 2;

/**
 * Deletes a table `inet NAME` in the network namespace that a descriptor leads to (-1: our own), if
 * there is one. Not by the program nft: CRIU comes with a library, and need not have the program.
 */
export async function deleteTable(netns: number, name: string): Promise<void> {
  const request = Buffer.concat([
    message(BATCH_BEGIN, REQUEST, subheader(0, SUBSYSTEM_NFTABLES)),
    message(DELETE_TABLE, REQUEST_ACK, subheader(FAMILY_INET, 0), attribute(TABLE_NAME, name)),
    message(BATCH_END, REQUEST, subheader(0, SUBSYSTEM_NFTABLES)),
  ]);
  let error = 0;
  await ask(netns, request, (type, body) => {
    if (type !== NLMSG_ERROR) return false;
    error = -body.readInt32LE(0);
    return true;
  });
  if (error !== 0 && error !== ENOENT) throw new Error(`nftables answers with error ${error}`);
}

/** The names of the tables `inet …` in a network namespace. */
export async function tablesIn(netns: number): Promise<string[]> {
  const names: string[] = [];
  const request = message(GET_TABLE, REQUEST_DUMP, subheader(FAMILY_INET, 0));
  await ask(netns, request, (type, body) => {
    if (type === NLMSG_DONE || type === NLMSG_ERROR) return true;
    for (let at = SUBHEADER; at + 4 <= body.length; ) {
      const length = body.readUInt16LE(at);
      if (length < 4) break;
      if (body.readUInt16LE(at + 2) === TABLE_NAME) {
        names.push(body.toString('utf8', at + 4, at + length - 1));
      }
      at += aligned(length);
    }
    return false;
  });
  return names;
}

/** Sends a request and hands on each message of the answer, until one is the last. */
async function ask(
  netns: number,
  request: Buffer,
  isLast: (type: number, body: Buffer) => boolean,
): Promise<void> {
  const fd = native().netlink(NETLINK_NETFILTER, netns);
  try {
    native().send(fd, request);
    for (;;) {
      const packet = native().receive(fd);
      if (packet === undefined) return;
      if (packet === null) await readable(fd);
      else if (hasLast(Buffer.from(packet.data), isLast)) return;
    }
  } finally {
    native().close(fd);
  }
}

function hasLast(packet: Buffer, isLast: (type: number, body: Buffer) => boolean): boolean {
  for (let at = 0; at + HEADER <= packet.length; ) {
    const length = packet.readUInt32LE(at);
    if (length < HEADER) return true;
    if (isLast(packet.readUInt16LE(at + 4), packet.subarray(at + HEADER, at + length))) return true;
    at += aligned(length);
  }
  return false;
}

function message(type: number, flags: number, ...body: Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(HEADER + body.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  return Buffer.concat([header, ...body]);
}

function subheader(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 255]);
}

function attribute(type: number, text: string): Buffer {
  const value = Buffer.from(`${text}\0`);
  const all = Buffer.alloc(aligned(4 + value.length));
  all.writeUInt16LE(4 + value.length, 0);
  all.writeUInt16LE(type, 2);
  value.copy(all, 4);
  return all;
}

function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const watch = native().watch(fd, () => {
      watch.close();
      resolve();
    });
  });
}

const aligned = (length: number) => (length + 3) & ~3;
